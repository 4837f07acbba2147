{# Brian2's own, but for neurons at rest, whose step would give the values that they have (rest.py). Neurons are looked
   at in blocks. One comes to rest when a step has changed nothing in it, and its values are kept: as long as they are
   the same, no step is done. Whether blocks come to rest is looked at from time to time only, since it takes as long
   as a tenth of a step. #}
{# USES_VARIABLES { N } #}
{# ALLOWS_SCALAR_WRITE #}
{% extends 'common_group.cpp' %}

{% block extra_headers %}
{% if arrays is defined %}
#include<algorithm>
namespace {
    const int _block = 128, _seldom = 16;
    bool _rests[({{size}} + _block - 1)/_block];
    unsigned _steps = 0;
    {% for var in arrays %}
    {{c_data_type(var.dtype)}} _kept_{{var.name}}[{{size}}];
    {% endfor %}
    {% for var in numbers %}
    {{c_data_type(var.dtype)}} _last_{{var.name}};
    {% endfor %}
}
{% endif %}
{% endblock %}

{% block maincode %}
    //// MAIN CODE ////////////
    // scalar code
    const size_t _vectorisation_idx = -1;
    {{scalar_code|autoindent}}

    const int _N = {{constant_or_scalar('N', variables['N'])}};
    {% if arrays is defined %}
    bool _others = false;
    {% for var in numbers %}
    _others |= _last_{{var.name}} != {{get_array_name(var)}}[0];
    _last_{{var.name}} = {{get_array_name(var)}}[0];
    {% endfor %}
    if (_others) std::fill(_rests, _rests + sizeof(_rests), false);
    const auto _as_kept = [&](int _from, int _to)
    {
        int _changed = 0;
        {% for var in arrays %}
        for (int _idx = _from; _idx < _to; _idx++) _changed += {{get_array_name(var)}}[_idx] != _kept_{{var.name}}[_idx];
        {% endfor %}
        return _changed == 0;
    };
    const bool _look = _steps++ % _seldom == 0;
    for (int _from = 0, _to; _from < _N; _from = _to)
    {
        _to = std::min(_from + _block, _N);
        if (_rests[_from/_block] && (_rests[_from/_block] = _as_kept(_from, _to))) continue;
        while (_to < _N && !_rests[_to/_block]) _to = std::min(_to + _block, _N);
        if (_look)
        {
            {% for var in arrays %}
            std::copy({{get_array_name(var)}} + _from, {{get_array_name(var)}} + _to, _kept_{{var.name}} + _from);
            {% endfor %}
        }
        for (int _idx = _from; _idx < _to; _idx++)
        {
            // vector code
            const size_t _vectorisation_idx = _idx;
            {{vector_code|autoindent}}
        }
        if (_look)
            for (int _first = _from; _first < _to; _first += _block)
            {
                const int _last = std::min(_first + _block, _to);
                _rests[_first/_block] = _as_kept(_first, _last);
                {% if refractory %}
                {% set open = get_array_name(variables['not_refractory']) %}
                _rests[_first/_block] &= std::count({{open}} + _first, {{open}} + _last, false) == 0;
                {% endif %}
            }
    }
    {% else %}
    {{openmp_pragma('parallel-static')}}
    for(int _idx=0; _idx<_N; _idx++)
    {
        // vector code
        const size_t _vectorisation_idx = _idx;
        {{vector_code|autoindent}}
    }
    {% endif %}
{% endblock %}
