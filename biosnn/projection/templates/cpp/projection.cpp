{# What all kinds share. A kind extends this with two loops over the synapses of a neuron: `outgoing` of source `_pre`,
   which sets `_post`, and `incoming` of target `_post`, which sets `_pre`. Both set `_idx`, the index of the weight, and
   have `{{self.synapse()}}` in their innermost loop. What has to be done before and after all spikes of a step are gone
   through has blocks of its own. #}
{% extends 'common_group.cpp' %}

{% block maincode %}
const size_t _vectorisation_idx = -1;
{{scalar_code|autoindent}}
{% if ages %}
const int64_t _now = {{get_array_name(ages.line.step)}}[0];
{% endif %}
{% if late %}
const int64_t _slot = {{get_array_name(late.step)}}[0] % {{late.slots}};
{% endif %}
{% block before %}{% endblock %}
{% if side == "weight" %}
for (size_t _idx = 0; _idx < {{n.weights}}; _idx++)
{
    const size_t _vectorisation_idx = _idx;
    {{vector_code|autoindent}}
}
{% elif ages %}
{% block ages %}
for (int64_t _age = {{ages.shortest}}; _age <= {{ages.longest}} && _age <= _now; _age++)
{
    const int32_t* _spikes = {{get_array_name(ages.line.history)}} + (_now - _age) % {{ages.line.slots}}*{{n.spikespace + 1}};
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
    {% block outgoing %}{% endblock %}
    {% else %}
    if (_spikes[_spike] < {{n.target_start}} || _spikes[_spike] >= {{n.target_stop}}) continue;
    const size_t _post = _spikes[_spike] - {{n.target_start}};
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
{% endblock %}

{% block synapse %}
{% if ages and not ages.order %}
if ({{get_array_name(ages.delays)}}[_idx] != _age) continue;
{% endif %}
const size_t _presynaptic_idx = _pre + {{n.source_start}};
const size_t _postsynaptic_idx = _post + {{n.target_start}};
{% if late %}
const int64_t _late_slot = _slot - {{get_array_name(late.delays)}}[_idx];
const size_t _late_idx = (_late_slot < 0 ? _late_slot + {{late.slots}} : _late_slot)*{{late.neurons}} + _presynaptic_idx;
{% endif %}
const int32_t i = _pre, j = _post;
const size_t _vectorisation_idx = _idx;
{{vector_code|autoindent}}
{% endblock %}
