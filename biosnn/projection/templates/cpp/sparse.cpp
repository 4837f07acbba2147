{# A list of targets for each source, one after the other; for each target, where spikes of its own run statements, a list of
   its synapses and their sources. #}
{% extends 'projection.cpp' %}

{% block before %}
const int64_t* _indptr = {{get_array_name(variables['_list_indptr'])}};
const {{c_data_type(variables['_list_indices'].dtype)}}* _indices = {{get_array_name(variables['_list_indices'])}};
{% if side == "post" %}
const int64_t* _in_indptr = {{get_array_name(variables['_list_in_indptr'])}};
const int32_t* _in_synapses = {{get_array_name(variables['_list_in_synapses'])}};
const {{c_data_type(variables['_list_in_sources'].dtype)}}* _in_sources = {{get_array_name(variables['_list_in_sources'])}};
{% if "_list_in_delays" in variables %}
const {{c_data_type(variables['_list_in_delays'].dtype)}}* _in_delays = {{get_array_name(variables['_list_in_delays'])}};
{% endif %}
{% endif %}
{% endblock %}

{% block outgoing %}
for (int64_t _idx = _indptr[_pre]; _idx < _indptr[_pre + 1]; _idx++)
{
    const size_t _post = _indices[_idx];
    {{self.synapse()}}
}
{% endblock %}

{% block incoming %}
for (int64_t _in = _in_indptr[_post]; _in < _in_indptr[_post + 1]; _in++)
{
    {% for var in touched %}
    __builtin_prefetch({{get_array_name(var)}} + _in_synapses[_in + 16], 1);
    {% endfor %}
    const int64_t _idx = _in_synapses[_in];
    const size_t _pre = _in_sources[_in];
    {{self.synapse()}}
}
{% endblock %}

{# Delays of their own: of each source, the synapses of one delay lie together. All such runs of a step are found first. #}
{% block heterogeneous %}
{% if heterogeneous.starts is not none %}
struct _Run { int64_t begin, end; size_t pre; };
static std::vector<_Run> _runs;
_runs.clear();
for (int64_t _age = _shortest; _age <= _longest && _age <= _now; _age++)
{
    const int32_t* _spikes = {{get_array_name(heterogeneous.spike_history.history)}} + (_now - _age) % _slots*{{n.spikespace + 1}};
    for (int32_t _spike = 0; _spike < _spikes[{{n.spikespace}}]; _spike++)
    {
        if (_spikes[_spike] < {{n.source_start}} || _spikes[_spike] >= {{n.source_stop}}) continue;
        const size_t _pre = _spikes[_spike] - {{n.source_start}};
        const int32_t* _starts = {{get_array_name(heterogeneous.starts)}} + _pre*(_longest - _shortest + 2) + _age - _shortest;
        if (_starts[0] < _starts[1]) _runs.push_back({_indptr[_pre] + _starts[0], _indptr[_pre] + _starts[1], _pre});
    }
}
for (size_t _run = 0; _run < _runs.size(); _run++)
{
    if (_run + 8 < _runs.size())
    {
        const _Run& _next = _runs[_run + 8];
        for (const char* _at = (const char*) (_indices + _next.begin); _at < (const char*) (_indices + _next.end); _at += 64)
            __builtin_prefetch(_at);
        {% for var in touched %}
        for (const char* _at = (const char*) ({{get_array_name(var)}} + _next.begin); _at < (const char*) ({{get_array_name(var)}} + _next.end); _at += 64)
            __builtin_prefetch(_at);
        {% endfor %}
    }
    const size_t _pre = _runs[_run].pre;
    for (int64_t _idx = _runs[_run].begin; _idx < _runs[_run].end; _idx++)
    {
        const size_t _post = _indices[_idx];
        {{self.synapse()}}
    }
}
{% else %}
{{super()}}
{% endif %}
{% endblock %}

{% block extra_headers %}
{{super()}}
#include<vector>
{% endblock %}
