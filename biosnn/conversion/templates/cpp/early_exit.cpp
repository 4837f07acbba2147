{# End an image as soon as the largest output is far enough ahead, and the simulation with the last image. #}
{% extends 'common_group.cpp' %}

{% block extra_headers %}
#include "network.h"
{% endblock %}

{% block maincode %}
{% set _early = get_array_name(variables['_early']) %}
{% set _v = get_array_name(potential) %}
const int64_t _length = {{get_array_name(variables['_length'])}}[0];
const int32_t _turn = {{get_array_name(variables['_turns'])}}[0] - 1;
if (_turn < 0) return;
const int64_t _now = {{get_array_name(variables['t_in_timesteps'])}}[0] + {{_early}}[0];
const int64_t _shown = _now - {{get_array_name(variables['_steps'])}}[_turn] + 1;
{{get_array_name(variables['_steps_used'])}}[_turn] = _shown;
double _first = {{_v}}[0], _second = -1e300;
for (int _k = 1; _k < {{potential.size}}; _k++)
{
    const double _value = {{_v}}[_k];
    if (_value > _first) { _second = _first; _first = _value; }
    else if (_value > _second) _second = _value;
}
const bool _sure = _first - _second >= {{get_array_name(variables['_margin'])}}[0];
if (_sure && _shown < _length) {{_early}}[0] += _length - _shown;
if ((_sure || _shown == _length) && _turn == {{get_array_name(variables['_images'])}}[0] - 1) Network::_globally_stopped = true;
{% endblock %}
