{# Spikes of the neurons whose time has come. It is looked for in blocks, by a loop without branches that the compiler
   turns into vector instructions: a step without a spike costs little more than reading the times. #}
{# USES_VARIABLES { N, next_step, t_in_timesteps } #}
{% extends 'common_group.cpp' %}

{% block maincode %}
const double _now = {{t_in_timesteps}};
{% set _spikes = get_array_name(eventspace_variable) %}
{% set _next = get_array_name(variables['next_step']) %}
{% set _rates = get_array_name(variables['rates']) %}
{% set _seen = get_array_name(variables['_rates_seen']) %}
int32_t _count = 0;
for (size_t _begin = 0; _begin < N; _begin += 32)
{
    const size_t _end = _begin + 32 < N ? _begin + 32 : N;
    int _any = 0;
    for (size_t _i = _begin; _i < _end; _i++)
        _any |= ({{_next}}[_i] <= _now) | ({{_rates}}[_i] != {{_seen}}[_i]);
    if (!_any) continue;
    for (size_t _idx = _begin; _idx < _end; _idx++)
    {
        const size_t _vectorisation_idx = _idx;
        if ({{_rates}}[_idx] != {{_seen}}[_idx] || {{_next}}[_idx] < _now - 1)
        {
            {{_seen}}[_idx] = {{_rates}}[_idx];
            {{scalar_code['start']|autoindent}}
            {{vector_code['start']|autoindent}}
        }
        if ({{_next}}[_idx] <= _now)
        {
            {{_spikes}}[_count++] = _idx;
            {{scalar_code['spike']|autoindent}}
            {{vector_code['spike']|autoindent}}
        }
    }
}
{{_spikes}}[N] = _count;
{% endblock %}

{% block after_code %}
{{get_array_name(eventspace_variable)}}[N] = 0;
{% endblock %}
