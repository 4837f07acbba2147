{# Keep the present values of traces, in the slot of this step and in those of steps that a pause has left out. #}
{% extends 'common_group.cpp' %}

{% block extra_headers %}
#include<algorithm>
{% endblock %}

{% block maincode %}
const int64_t _now = {{get_array_name(delayed_traces.step)}}[0];
{% set history = delayed_traces.spike_history %}
const int64_t _slots = {{history.fixed_slots or get_array_name(history.history, access_data=False) ~ ".size()/" ~ history.size}};
int64_t* _expected = {{get_array_name(delayed_traces.expected)}};
for (int64_t _step = std::max(_expected[0], _now - _slots + 1); _step <= _now; _step++)
{
    const int64_t _slot = _step % _slots;
    for (size_t _k = 0; _k < {{delayed_traces.neurons}}; _k++)
    {
        {% for now, kept in pairs %}
        {{get_array_name(kept)}}[_slot*{{delayed_traces.neurons}} + _k] = {{get_array_name(now)}}[_k];
        {% endfor %}
    }
}
_expected[0] = _now + 1;
{% endblock %}
