{# Put arrays, or parts of them, back to zero. #}
{% extends 'common_group.cpp' %}

{% block maincode %}
{% if events %}
if ({{get_array_name(events)}}[{{events.size - 1}}] == 0) return;
{% endif %}
{% for var, start, stop in arrays %}
for (size_t _k = {{start}}; _k < {{stop}}; _k++)
    {{get_array_name(var)}}[_k] = 0;
{% endfor %}
{% endblock %}
