{# What all kinds share. A kind extends this with two loops over the synapses of a neuron: `outgoing` of source `_pre`,
   which sets `_post`, and `incoming` of target `_post`, which sets `_pre`. Both set `_idx`, the index of the weight, and
   have `{{self.synapse()}}` in their innermost loop. What has to be done before and after all spikes of a step are gone
   through has blocks of its own.

   A kind with `divisible` goes to the synapses of the targets from `_begin` on and before `_end`, so that each thread has
   targets of its own: nothing is written to by two of them, and a target gets what it gets in the same order. #}
{% extends 'common_group.cpp' %}

{% block extra_headers %}
#include<cstring>
#include "threads.h"
namespace { void _part_{{codeobj_name}}(size_t _begin, size_t _end); }
namespace {
{# What is added where a neuron does not rest, and nothing where it does: without a jump. #}
template<class T> inline T _unless_at_rest(T term, bool awake) { return awake ? term : T(0); }
inline double _unless_at_rest(double term, bool awake)
{
    uint64_t bits;
    std::memcpy(&bits, &term, sizeof bits);
    bits &= -(uint64_t) awake;
    std::memcpy(&term, &bits, sizeof bits);
    return term;
}
inline float _unless_at_rest(float term, bool awake)
{
    uint32_t bits;
    std::memcpy(&bits, &term, sizeof bits);
    bits &= -(uint32_t) awake;
    std::memcpy(&term, &bits, sizeof bits);
    return term;
}
}
{% endblock %}

{% block maincode %}
{% if not divisible %}
_part_{{codeobj_name}}(0, {{n.targets}});
{% elif side == "weight" %}
biosnn::in_equal_parts({{n.weights or get_array_name(variables['_list_indices'], access_data=False) ~ ".size()"}}, _part_{{codeobj_name}});
{% else %}
{# Where a step has little to do, threads would cost more time than they save. #}
const double _synapses = {{n.weights or get_array_name(variables['_list_indices'], access_data=False) ~ ".size()"}};
{% if heterogeneous %}
const int64_t _slots = {{heterogeneous.spike_history.fixed_slots or get_array_name(heterogeneous.spike_history.history, access_data=False) ~ ".size()/" ~ (n.spikespace + 1)}};
const int32_t* _spikes = {{get_array_name(heterogeneous.spike_history.history)}} + {{get_array_name(heterogeneous.spike_history.step)}}[0] % _slots*{{n.spikespace + 1}};
{% elif side %}
const int32_t* _spikes = {{get_array_name(eventspace_variable)}};
{% endif %}
const double _gone_to = _synapses{% if side %}/{{n.targets if side == "post" else n.sources}}*_spikes[{{n.spikespace}}]{% endif %};
if (biosnn::threads() == 1 || _gone_to < 4000)
    _part_{{codeobj_name}}(0, {{n.targets}});
else
{
    {% block divide %}{% endblock %}
}
{% endif %}
{% endblock %}

{% block extra_functions_cpp %}
namespace { void _part_{{codeobj_name}}(size_t _begin, size_t _end)
{
using namespace brian;
%CONSTANTS%
{{pointers_lines|autoindent}}
const size_t _vectorisation_idx = -1;
{{(scalar_code['statements'] if computed is not none or once else scalar_code)|autoindent}}
{% if heterogeneous %}
const int64_t _now = {{get_array_name(heterogeneous.spike_history.step)}}[0];
const int64_t _slots = {{heterogeneous.spike_history.fixed_slots or get_array_name(heterogeneous.spike_history.history, access_data=False) ~ ".size()/" ~ (n.spikespace + 1)}};
{% if heterogeneous.fixed_bounds %}
const int64_t _shortest = {{heterogeneous.fixed_bounds[0]}}, _longest = {{heterogeneous.fixed_bounds[1]}};
{% else %}
const int64_t _shortest = {{get_array_name(heterogeneous.bounds)}}[0], _longest = {{get_array_name(heterogeneous.bounds)}}[1];
{% endif %}
{% endif %}
{% if delayed_traces %}
{% set history = delayed_traces.spike_history %}
const int64_t _late_slots = {{history.fixed_slots or get_array_name(history.history, access_data=False) ~ ".size()/" ~ history.size}};
const int64_t _slot = {{get_array_name(delayed_traces.step)}}[0] % _late_slots;
{% endif %}
{% block before %}{% endblock %}
{% if side == "weight" %}
{% if not divisible %}
_end = {{n.weights or get_array_name(variables['_list_indices'], access_data=False) ~ ".size()"}};
{% endif %}
for (size_t _idx = _begin; _idx < _end; _idx++)
{
    const size_t _vectorisation_idx = _idx;
    {{vector_code|autoindent}}
}
{% elif heterogeneous %}
{% block heterogeneous %}
for (int64_t _age = _shortest; _age <= _longest && _age <= _now; _age++)
{
    const int32_t* _spikes = {{get_array_name(heterogeneous.spike_history.history)}} + (_now - _age) % _slots*{{n.spikespace + 1}};
    {{self.spikes()}}
}
{% endblock %}
{% elif side %}
const int32_t* _spikes = {{get_array_name(eventspace_variable)}};
{% block spikes %}
const int32_t _num_spikes = _spikes[{{n.spikespace}}];
for (int32_t _spike = 0; _spike < _num_spikes; _spike++)
{
    {% if side == "pre" %}
    if (_spikes[_spike] < {{n.source_start}} || _spikes[_spike] >= {{n.source_stop}}) continue;
    const size_t _pre = _spikes[_spike] - {{n.source_start}};
    {% if once %}
    {{self.once()}}
    {% endif %}
    {% block outgoing %}{% endblock %}
    {% else %}
    if (_spikes[_spike] < {{n.target_start}} || _spikes[_spike] >= {{n.target_stop}}) continue;
    const size_t _post = _spikes[_spike] - {{n.target_start}};
    {% if divisible %}
    if (_post < _begin || _post >= _end) continue;
    {% endif %}
    {% if once %}
    {{self.once()}}
    {% endif %}
    {% block incoming %}{% endblock %}
    {% endif %}
}
{% endblock %}
{% else %}
for (size_t _pre = 0; _pre < {{n.sources}}; _pre++)
{
    {{self.outgoing()}}
}
{% endif %}
{% block after %}{% endblock %}
} }
{% endblock %}

{% block synapse %}
{% if heterogeneous and heterogeneous.starts is none %}
if ({{get_array_name(heterogeneous.delays)}}[_idx] != _age) continue;
{% endif %}
const size_t _presynaptic_idx = _pre + {{n.source_start}};
const size_t _postsynaptic_idx = _post + {{n.target_start}};
{% if delayed_traces %}
const int64_t _late_slot = _slot - {% if side == "post" and "_list_in_delays" in variables %}_in_delays[_in]{% else %}{{get_array_name(delayed_traces.delays)}}[_idx]{% endif %};
const size_t _late_idx = (_late_slot < 0 ? _late_slot + _late_slots : _late_slot)*{{delayed_traces.neurons}} + _presynaptic_idx;
{% endif %}
const int32_t i = _pre, j = _post;
const size_t _vectorisation_idx = _idx;
{{(vector_code['statements'] if computed is not none or once else vector_code)|autoindent}}
{% endblock %}

{# What the statements take of the neuron that spikes alone. #}
{% block once %}
{% if once %}
{% for name, var in once.items() %}
{{c_data_type(var.dtype)}} _once_{{name}};
{% endfor %}
{
    const size_t _{{side}}synaptic_idx = _{{side}} + {{n.source_start if side == "pre" else n.target_start}}, _vectorisation_idx = 0;
    {{scalar_code['once']|autoindent}}
    {{vector_code['once']|autoindent}}
    {% for name in once %}
    _once_{{name}} = _taken_{{name}};
    {% endfor %}
}
{% endif %}
{% endblock %}
