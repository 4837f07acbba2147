{# Spikes of the neurons whose time has come. Of each block of neurons the soonest spike is kept, and only blocks that
   have one now are looked through. Rates are compared with those last seen bit by bit, in a loop without branches
   that the compiler turns into vector instructions. #}
{# USES_VARIABLES { N, t_in_timesteps } #}
{% extends 'common_group.cpp' %}

{% block extra_headers %}
#include<algorithm>
#include<cstring>
{% endblock %}

{% block maincode %}
{% set _spikes = get_array_name(eventspace_variable) %}
{% set _next = get_array_name(variables['_next_step']) %}
{% set _soonest = get_array_name(variables['_soonest']) %}
{% set _rates = get_array_name(variables['rates']) %}
{% set _seen = get_array_name(variables['_rates_seen']) %}
{% set _anew = get_array_name(variables['_anew']) %}
const double _now = {{t_in_timesteps}};
const bool _all = {{_anew}}[0] != 0;
{{_anew}}[0] = 0;
int64_t _changed = _all;
for (size_t _i = 0; _i < N; _i++)
{
    int64_t _rate, _before;
    std::memcpy(&_rate, {{_rates}} + _i, 8);
    std::memcpy(&_before, {{_seen}} + _i, 8);
    _changed |= _rate ^ _before;
}
int32_t _count = 0;
for (size_t _block = 0; _block*{{block}} < N; _block++)
{
    if (!_changed && {{_soonest}}[_block] > _now) continue;
    double _first = INFINITY;
    const size_t _end = std::min((_block + 1)*{{block}}, (size_t) N);
    for (size_t _idx = _block*{{block}}; _idx < _end; _idx++)
    {
        const size_t _vectorisation_idx = _idx;
        const bool _other = _changed && (_all || {{_rates}}[_idx] != {{_seen}}[_idx]);
        {# Also where only bits differ, as those of 0 and -0 do: they would have all blocks looked through in each step. #}
        if (_changed) {{_seen}}[_idx] = {{_rates}}[_idx];
        if (_other || {{_next}}[_idx] < _now - 1)
        {
            {{scalar_code['start']|autoindent}}
            {{vector_code['start']|autoindent}}
        }
        if ({{_next}}[_idx] <= _now)
        {
            {{_spikes}}[_count++] = _idx;
            {{scalar_code['spike']|autoindent}}
            {{vector_code['spike']|autoindent}}
        }
        _first = std::min(_first, {{_next}}[_idx]);
    }
    {{_soonest}}[_block] = _first;
}
{{_spikes}}[N] = _count;
{% endblock %}

{% block after_code %}
{{get_array_name(eventspace_variable)}}[N] = 0;
{% endblock %}
