{# Put arrays, or parts of them, back to zero. #}
{% extends 'common_group.cpp' %}

{% block maincode %}
{% if events %}
if ({{get_array_name(events)}}[{{events.size - 1}}] == 0) return;
{% endif %}
{% for var, start, stop in arrays %}
{% set grows_here = grows[loop.index0] %}
{% set end = get_array_name(var, access_data=False) ~ ".size()" if grows_here else stop %}
for (size_t _k = {{0 if grows_here else start}}; _k < {{end}}; _k++)
    {{get_array_name(var)}}[_k] = 0;
{% endfor %}
{% endblock %}
