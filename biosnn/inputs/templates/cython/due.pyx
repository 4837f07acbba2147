{# USES_VARIABLES { N, t_in_timesteps } #}
{% extends 'common_group.pyx' %}

{% block maincode %}
    {% set _spikes = get_array_name(eventspace_variable) %}
    {% set _next = get_array_name(variables['_next_step']) %}
    {% set _rates = get_array_name(variables['rates']) %}
    {% set _seen = get_array_name(variables['_rates_seen']) %}
    {% set _anew = get_array_name(variables['_anew']) %}
    cdef bint _all = {{_anew}}[0] != 0
    {{_anew}}[0] = 0
    cdef double _now = {{t_in_timesteps}}
    cdef size_t _count = 0
    for _idx in range(N):
        _vectorisation_idx = _idx
        if _all or {{_rates}}[_idx] != {{_seen}}[_idx] or {{_next}}[_idx] < _now - 1:
            {{_seen}}[_idx] = {{_rates}}[_idx]
            {{scalar_code['start']|autoindent}}
            {{vector_code['start']|autoindent}}
        if {{_next}}[_idx] <= _now:
            {{_spikes}}[_count] = _idx
            _count += 1
            {{scalar_code['spike']|autoindent}}
            {{vector_code['spike']|autoindent}}
    {{_spikes}}[N] = _count
{% endblock %}

{% block after_code %}
    {% set _spikes = get_array_name(eventspace_variable) %}
    {{_spikes}}[N] = 0
{% endblock %}
