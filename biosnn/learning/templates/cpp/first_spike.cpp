{# Of the neurons that spike in this step, leave the one that is farthest above its threshold; none if one has before. #}
{% extends 'common_group.cpp' %}

{% block maincode %}
int32_t* _spikes = {{get_array_name(spikes)}};
const int32_t _count = _spikes[{{spikes.size - 1}}];
if (_count == 0) return;
if ({{get_array_name(answers)}}[0] > 0)
{
    _spikes[{{spikes.size - 1}}] = 0;
    return;
}
int32_t _first = _spikes[0];
double _highest = -1e300;
for (int32_t _spike = 0; _spike < _count; _spike++)
{
    const int32_t _k = _spikes[_spike];
    const double _height = {{get_array_name(v)}}[_k]{% if theta %} - {{get_array_name(theta)}}[_k]{% endif %};
    if (_height > _highest)
    {
        _highest = _height;
        _first = _k;
    }
}
_spikes[0] = _first;
_spikes[{{spikes.size - 1}}] = 1;
{% endblock %}
