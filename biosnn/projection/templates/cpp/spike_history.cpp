{# Keep the spikes of this step, and hand out those of `delay` steps ago. The list of a step that a pause has left out is
   made empty, since its slot still holds that of `slots` steps before. #}
{% extends 'common_group.cpp' %}

{% block extra_headers %}
#include<algorithm>
{% endblock %}

{% block maincode %}
const int64_t _now = {{get_array_name(spike_history.step)}}[0];
const int64_t _slots = {{spike_history.fixed_slots or get_array_name(spike_history.history, access_data=False) ~ ".size()/" ~ spike_history.size}};
int64_t* _expected = {{get_array_name(spike_history.expected)}};
for (int64_t _missed = std::max(_expected[0], _now - _slots + 1); _missed < _now; _missed++)
    {{get_array_name(spike_history.history)}}[_missed % _slots*{{spike_history.size}} + {{spike_history.size - 1}}] = 0;
_expected[0] = _now + 1;
const int32_t* _spikes = {{get_array_name(spike_history.spikes)}};
int32_t* _slot = {{get_array_name(spike_history.history)}} + _now % _slots*{{spike_history.size}};
for (int32_t _spike = 0; _spike < _spikes[{{spike_history.size - 1}}]; _spike++)
    _slot[_spike] = _spikes[_spike];
_slot[{{spike_history.size - 1}}] = _spikes[{{spike_history.size - 1}}];
{% if spike_history.delayed %}
int32_t* _delayed = {{get_array_name(spike_history.delayed)}};
const int32_t* _then = {{get_array_name(spike_history.history)}} + (_now + _slots - {{spike_history.delay}}) % _slots*{{spike_history.size}};
const int32_t _num_then = _now < {{spike_history.delay}} ? 0 : _then[{{spike_history.size - 1}}];
for (int32_t _spike = 0; _spike < _num_then; _spike++)
    _delayed[_spike] = _then[_spike];
_delayed[{{spike_history.size - 1}}] = _num_then;
{% endif %}
{% endblock %}
