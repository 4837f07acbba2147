{# Keep the present values of traces, in the slot of this step. #}
{% extends 'common_group.cpp' %}

{% block maincode %}
const int64_t _slot = {{get_array_name(late.step)}}[0] % {{late.slots}};
for (size_t _k = 0; _k < {{late.neurons}}; _k++)
{
    {% for now, kept in pairs %}
    {{get_array_name(kept)}}[_slot*{{late.neurons}} + _k] = {{get_array_name(now)}}[_k];
    {% endfor %}
}
{% endblock %}
