{# Spikes of the neurons whose time has come: the next ones of a sorted list. #}
{% extends 'common_group.cpp' %}

{% block maincode %}
{% set _spikes = get_array_name(eventspace_variable) %}
{% set _at = get_array_name(variables['at']) %}
{% set _step = get_array_name(variables['step']) %}
const int64_t _now = {{get_array_name(variables['t_in_timesteps'])}}[0] - {{get_array_name(variables['begin'])}}[0];
const int32_t _count = {{get_array_name(variables['count'])}}[0];
int32_t _next = {{_at}}[0];
int32_t _fired = 0;
{# What was to come earlier is late, and left out. #}
while (_next < _count && {{_step}}[_next] < _now) _next++;
const double _weight = {{get_array_name(variables['weights'])}}[_now >= 0 ? _now % {{variables['weights'].size}} : 0];
while (_next < _count && {{_step}}[_next] == _now)
{
    const int32_t _neuron = {{get_array_name(variables['neuron'])}}[_next++];
    {{get_array_name(variables['weight'])}}[_neuron] = _weight;
    {{_spikes}}[_fired++] = _neuron;
}
{{_spikes}}[{{neurons}}] = _fired;
{{_at}}[0] = _next;
{% endblock %}

{% block after_code %}
{{get_array_name(eventspace_variable)}}[{{neurons}}] = 0;
{% endblock %}
