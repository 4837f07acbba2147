{# Keep the spikes of this step, and hand out those of `delay` steps ago. #}
{% extends 'common_group.cpp' %}

{% block extra_headers %}
#include<algorithm>
{% endblock %}

{% block maincode %}
const int64_t _now = {{get_array_name(line.step)}}[0];
int64_t* _expected = {{get_array_name(line.expected)}};
for (int64_t _missed = std::max(_expected[0], _now - {{line.slots}} + 1); _missed < _now; _missed++)
    {{get_array_name(line.history)}}[_missed % {{line.slots}}*{{line.size}} + {{line.size - 1}}] = 0;
_expected[0] = _now + 1;
const int32_t* _spikes = {{get_array_name(line.spikes)}};
int32_t* _slot = {{get_array_name(line.history)}} + _now % {{line.slots}}*{{line.size}};
for (int32_t _spike = 0; _spike < _spikes[{{line.size - 1}}]; _spike++)
    _slot[_spike] = _spikes[_spike];
_slot[{{line.size - 1}}] = _spikes[{{line.size - 1}}];
{% if line.delayed %}
int32_t* _delayed = {{get_array_name(line.delayed)}};
const int32_t* _then = {{get_array_name(line.history)}} + (_now + {{line.slots}} - {{line.delay}}) % {{line.slots}}*{{line.size}};
const int32_t _num_then = _now < {{line.delay}} ? 0 : _then[{{line.size - 1}}];
for (int32_t _spike = 0; _spike < _num_then; _spike++)
    _delayed[_spike] = _then[_spike];
_delayed[{{line.size - 1}}] = _num_then;
{% endif %}
{% endblock %}
