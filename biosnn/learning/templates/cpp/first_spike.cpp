{# Of the neurons that spike in this step, leave as many as may still answer: those farthest above their thresholds. #}
{% extends 'common_group.cpp' %}

{% block extra_headers %}
#include<algorithm>
{% endblock %}

{% block maincode %}
int32_t* const _spikes = {{get_array_name(spikes)}};
const int32_t _count = _spikes[{{spikes.size - 1}}];
const int32_t _left = {{get_array_name(winners)}}[0] - {{get_array_name(answers)}}[0];
if (_count <= _left) return;
_spikes[{{spikes.size - 1}}] = std::max(_left, 0);
if (_left <= 0) return;
const auto _height = [&](const int32_t _k) -> double
{
    return {{get_array_name(v)}}[_k]{% if theta %} - {{get_array_name(theta)}}[_k]{% endif %};
};
{# Ties go to the first in order, so that every target leaves the same. #}
const auto _above = [&](const int32_t _one, const int32_t _other)
{
    const double _a = _height(_one), _b = _height(_other);
    return _a > _b || (_a == _b && _one < _other);
};
std::partial_sort(_spikes, _spikes + _left, _spikes + _count, _above);
std::sort(_spikes, _spikes + _left);
{% endblock %}
