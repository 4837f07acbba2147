{# Brian2's own, in two loops: one that tests the condition, which the compiler turns into vector instructions, and one
   that looks for the few neurons of which it holds, eight at a time: a byte each of a number, whose lowest is the first
   neuron's (little-endian, as all machines are that Brian2 runs on). Each thread tests a part of the neurons. #}
{# USES_VARIABLES { N } #}
{% extends 'common_group.cpp' %}

{% block extra_headers %}
#include<cstring>
#include "threads.h"
namespace { void _part_{{codeobj_name}}(size_t _begin, size_t _end); }
namespace {
    char _holds[({{variables['N'].value}} + 7)/8*8];
}
{% endblock %}

{% block maincode %}
{% set _eventspace = get_array_name(eventspace_variable) %}
{% if _divisible %}
biosnn::in_equal_parts(N, _part_{{codeobj_name}});
{% else %}
_part_{{codeobj_name}}(0, N);
{% endif %}
int32_t _count = 0;
for (size_t _first = 0; _first < N; _first += 8)
{
    uint64_t _any;
    std::memcpy(&_any, _holds + _first, 8);
    for (; _any; _any &= _any - 1)
    {
        const size_t _idx = _first + __builtin_ctzll(_any)/8;
        {{_eventspace}}[_count++] = _idx;
        {% if _uses_refractory %}
        {{not_refractory}}[_idx] = false;
        {{lastspike}}[_idx] = {{t}};
        {% endif %}
    }
}
{{_eventspace}}[N] = _count;
{% endblock %}

{% block extra_functions_cpp %}
namespace { void _part_{{codeobj_name}}(size_t _begin, size_t _end)
{
    using namespace brian;
    %CONSTANTS%
    {{pointers_lines|autoindent}}
    const int _vectorisation_idx = -1;
    {{scalar_code|autoindent}}
    for (size_t _idx = _begin; _idx < _end; _idx++)
    {
        const size_t _vectorisation_idx = _idx;
        {{vector_code|autoindent}}
        _holds[_idx] = _cond;
    }
} }
{% endblock %}

{% block after_code %}
{{get_array_name(eventspace_variable)}}[N] = 0;
{% endblock %}
