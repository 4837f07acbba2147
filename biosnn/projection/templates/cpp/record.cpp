{# Keep the present values of traces, in the slot of this step and in those of steps that a pause has left out. #}
{% extends 'common_group.cpp' %}

{% block extra_headers %}
#include<algorithm>
{% endblock %}

{% block maincode %}
const int64_t _now = {{get_array_name(late.step)}}[0];
int64_t* _expected = {{get_array_name(late.expected)}};
for (int64_t _step = std::max(_expected[0], _now - {{late.slots}} + 1); _step <= _now; _step++)
{
    const int64_t _slot = _step % {{late.slots}};
    for (size_t _k = 0; _k < {{late.neurons}}; _k++)
    {
        {% for now, kept in pairs %}
        {{get_array_name(kept)}}[_slot*{{late.neurons}} + _k] = {{get_array_name(now)}}[_k];
        {% endfor %}
    }
}
_expected[0] = _now + 1;
{% endblock %}
