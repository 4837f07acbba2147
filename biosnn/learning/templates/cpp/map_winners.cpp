{# Of the neurons that spike in this step, leave the best at each position, as long as it and their map have room. #}
{% extends 'common_group.cpp' %}

{% block extra_headers %}
#include<algorithm>
{% endblock %}

{% block maincode %}
int32_t* const _spikes = {{get_array_name(spikes)}};
int32_t* const _at = {{get_array_name(at_position)}};
int32_t* const _of = {{get_array_name(of_map)}};
if ({{get_array_name(onsets)}}[{{onsets.size - 1}}])
{
    std::fill_n(_at, {{at_position.size}}, 0);
    std::fill_n(_of, {{of_map.size}}, 0);
}
const int32_t _most = {{get_array_name(winners)}}[0], _most_of_map = {{get_array_name(winners_of_map)}}[0];
const auto _has_room = [&](const int32_t _k)
{
    return _at[_k/{{maps}}] < _most && (_most_of_map == 0 || _of[_k % {{maps}}] < _most_of_map);
};
int32_t* const _end = std::remove_if(_spikes, _spikes + _spikes[{{spikes.size - 1}}], [&](const int32_t _k) { return !_has_room(_k); });
const auto _height = [&](const int32_t _k) -> double
{
    return {{get_array_name(v)}}[_k] - {{get_array_name(theta)}}[{% if indexed %}_k % {{maps}}{% else %}_k{% endif %}];
};
{# Ties go to the first in order, so that every target leaves the same. #}
std::sort(_spikes, _end, [&](const int32_t _one, const int32_t _other)
{
    const double _a = _height(_one), _b = _height(_other);
    return _a > _b || (_a == _b && _one < _other);
});
int32_t* const _last = std::remove_if(_spikes, _end, [&](const int32_t _k)
{
    if (!_has_room(_k)) return true;
    _at[_k/{{maps}}]++;
    {% if rewarded %}
    if ({{get_array_name(until_right)}}[0] && {{get_array_name(right)}}[_k] > 0) _at[_k/{{maps}}] = _most;
    {% endif %}
    _of[_k % {{maps}}]++;
    return false;
});
std::sort(_spikes, _last);
_spikes[{{spikes.size - 1}}] = _last - _spikes;
{% endblock %}
