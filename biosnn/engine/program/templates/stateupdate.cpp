{# Brian2's own, but for large groups whose step depends on nothing but their values (quiescence.py): those are gone through
   in blocks.

   A block rests when a step has changed nothing in it. Its values are kept, and as long as they are the same, no step
   is done. Whether blocks have come to rest is looked at from time to time only, since it takes as long as a tenth of a
   step. In a block none of whose neurons is refractory, none becomes so in this step: it is gone through without the
   question, which takes a third of the time. In the first step of a run, when anything may have been set, all is done.

   Where neurons depend on nothing that others write (parallel.py), each thread does a part of them. #}
{# USES_VARIABLES { N } #}
{# ALLOWS_SCALAR_WRITE #}
{% extends 'common_group.cpp' %}

{% block extra_headers %}
#include "threads.h"
namespace { void _part_{{codeobj_name}}(size_t _begin, size_t _end); }
{% if _arrays is defined %}
#include<algorithm>
#include "network.h"
{# These last, and are shared with the code of later runs, which is the same (translation_units.py). #}
namespace {
    const int _block = 128;
    const unsigned _seldom = 64;
    enum _Kind { _resting, _open, _mixed, _none };
    bool _rests[({{_size}} + _block - 1)/_block];
    unsigned _steps = 0;
    int _run = 0;
    bool _first_step, _look;
    {% for type, var in _arrays %}
    {{type}} _kept_{{loop.index}}[{{_size}}];
    {% endfor %}
}
{% endif %}
{% endblock %}

{% block maincode %}
const size_t _neurons = {{constant_or_scalar('N', variables['N'])}};
{% if _arrays is defined %}
_first_step = _run != Network::runs;
_run = Network::runs;
_look = _steps++ % _seldom == 0;
{% endif %}
{% if _divisible %}
biosnn::in_equal_parts(_neurons, _part_{{codeobj_name}});
{% else %}
_part_{{codeobj_name}}(0, _neurons);
{% endif %}
{% endblock %}

{% block extra_functions_cpp %}
{% macro step(begin, end, lines) %}
for (int _idx = {{begin}}; _idx < {{end}}; _idx++)
{
    // vector code
    const size_t _vectorisation_idx = _idx;
    {{lines|autoindent}}
}
{% endmacro %}
namespace { void _part_{{codeobj_name}}(size_t _begin, size_t _end)
{
    using namespace brian;
    %CONSTANTS%
    {{pointers_lines|autoindent}}
    // scalar code
    const size_t _vectorisation_idx = -1;
    {{scalar_code|autoindent}}
    const int _part_begin = _begin, _part_end = _end;
    {% if _arrays is defined %}
    {% set open_code = _openly(vector_code) %}
    const auto _as_kept = [&](int _from, int _to)
    {
        int _changed = 0;
        {% for type, var in _arrays %}
        for (int _idx = _from; _idx < _to; _idx++) _changed += {{get_array_name(var)}}[_idx] != _kept_{{loop.index}}[_idx];
        {% endfor %}
        return _changed == 0;
    };
    {% if open_code %}
    const auto _none_refractory = [&](int _from, int _to)
    {
        const char* _can_spike = {{get_array_name(variables['not_refractory'])}};
        return std::count(_can_spike + _from, _can_spike + _to, 0) == 0;
    };
    {% endif %}
    const auto _kind = [&](int _from) -> _Kind
    {
        const int _to = std::min(_from + _block, _part_end);
        bool& _at_rest = _rests[_from/_block];
        _at_rest = _at_rest && !_first_step && _as_kept(_from, _to);
        if (_at_rest) return _resting;
        {% if open_code %}
        if (!_first_step && _none_refractory(_from, _to)) return _open;
        {% endif %}
        return _mixed;
    };
    _Kind _next = _kind(_part_begin);
    for (int _from = _part_begin, _to = _from; _from < _part_end; _from = _to)
    {
        const _Kind _now = _next;
        do
        {
            _to = std::min(_to + _block, _part_end);
            _next = _to < _part_end ? _kind(_to) : _none;
        } while (_next == _now);
        if (_now == _resting) continue;
        if (_look)
        {
            {% for type, var in _arrays %}
            std::copy({{get_array_name(var)}} + _from, {{get_array_name(var)}} + _to, _kept_{{loop.index}} + _from);
            {% endfor %}
        }
        {% if open_code %}
        if (_now == _open)
            {{step("_from", "_to", open_code)}}
        else
        {% endif %}
            {{step("_from", "_to", vector_code)}}
        for (int _first = _from; _look && _first < _to; _first += _block)
        {
            const int _last = std::min(_first + _block, _to);
            _rests[_first/_block] = _as_kept(_first, _last){% if open_code %} && _none_refractory(_first, _last){% endif %};
        }
    }
    {% else %}
    {{step("_part_begin", "_part_end", vector_code)}}
    {% endif %}
} }
{% endblock %}
