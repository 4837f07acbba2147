{# Write the spikes of a step to files, through buffers of a size that does not depend on how many there are in all.
   One file has the neurons' indices. The other has, for each step with spikes, the step's number and how many there
   are. They are opened when the first spikes come, and closed when the program ends. #}
{# USES_VARIABLES { _clock_t_in_timesteps, _ran, _recorded } #}
{% extends 'common_group.cpp' %}

{% block extra_headers %}
#include<cerrno>
#include<cstdio>
#include<cstdlib>
#include<cstring>
#include<vector>
#ifndef BIOSNN_RECORDING
#define BIOSNN_RECORDING
template<typename T> struct BiosnnFile
{
    std::string path;
    std::vector<T> buffer;
    size_t used;
    std::FILE* file;
    BiosnnFile(const std::string& path, size_t room): path(path), buffer(room/sizeof(T)), used(0)
    {
        {# Whoever still reads what an earlier run has written keeps it. #}
        std::remove(path.c_str());
        file = std::fopen(path.c_str(), "wb");
        if (!file) fail();
        std::setvbuf(file, nullptr, _IONBF, 0);
    }
    ~BiosnnFile()
    {
        flush();
        if (std::fclose(file)) fail();
    }
    {# Where so many can be put, of which those count by which `used` is raised. #}
    T* room(size_t many)
    {
        if (used + many > buffer.size()) flush();
        if (many > buffer.size()) buffer.resize(many);
        return &buffer[used];
    }
    void flush()
    {
        if (used && std::fwrite(buffer.data(), sizeof(T), used, file) != used) fail();
        used = 0;
    }
    void fail()
    {
        {# A program that went on would have recorded nothing at its end. #}
        std::printf("Error: recorded spikes cannot be written to %s: %s.\n", path.c_str(), std::strerror(errno));
        std::fflush(stdout);
        std::_Exit(1);
    }
};
#endif
#ifndef BIOSNN_RECORDING_{{recording}}
#define BIOSNN_RECORDING_{{recording}}
{# The runs of a program share them. #}
struct BiosnnRecording_{{recording}}
{
    static BiosnnFile<int32_t>& spikes()
    {
        static BiosnnFile<int32_t> file(brian::results_dir + "{{spikes_file}}", {{room}});
        return file;
    }
    static BiosnnFile<int64_t>& steps()
    {
        static BiosnnFile<int64_t> file(brian::results_dir + "{{steps_file}}", {{room}});
        return file;
    }
};
#endif
{% endblock %}

{% block maincode %}
const int64_t _step = {{_clock_t_in_timesteps}};
int64_t* _steps_seen = {{_ran}};
if (_steps_seen[1] == 0) _steps_seen[0] = _step;
_steps_seen[1] = _step + 1;
{% if window %}
if (_step < {{get_array_name(window)}}[0] || _step >= {{get_array_name(window)}}[1]) return;
{% endif %}
const int32_t* _spikes = {{get_array_name(spikes)}};
const int32_t _num_spikes = _spikes[{{spikes.size - 1}}];
if (_num_spikes == 0) return;
BiosnnFile<int32_t>& _file = BiosnnRecording_{{recording}}::spikes();
int32_t* _to = _file.room(_num_spikes);
int64_t _count = 0;
for (int32_t _k = 0; _k < _num_spikes; _k++)
{
    const int32_t _spike = _spikes[_k];
    {% if chosen %}
    if (!{{get_array_name(chosen)}}[_spike]) continue;
    {% elif not everybody %}
    if (_spike < {{first}} || _spike >= {{last}}) continue;
    {% endif %}
    _to[_count++] = _spike - {{origin}};
}
_file.used += _count;
{{_recorded}}[0] += _count;
BiosnnFile<int64_t>& _marks = BiosnnRecording_{{recording}}::steps();
for (int64_t _left = _count; _left > 0; _left -= {{most}})
{
    *_marks.room(1) = _step << {{bits}} | (_left < {{most}} ? _left : {{most}});
    _marks.used++;
    {{_recorded}}[1]++;
}
{% endblock %}
