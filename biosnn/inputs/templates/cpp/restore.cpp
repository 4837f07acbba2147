{# Put arrays, or parts of them, back to what they were at the first event. #}
{% extends 'common_group.cpp' %}

{% block extra_headers %}
#include<algorithm>
{% endblock %}

{% block maincode %}
if ({{get_array_name(events)}}[{{events.size - 1}}] == 0) return;
{% set _begun = get_array_name(begun) %}
{% for var, kept, start, stop in parts %}
if ({{_begun}}[0]) std::copy({{get_array_name(kept)}}, {{get_array_name(kept)}} + {{stop - start}}, {{get_array_name(var)}} + {{start}});
else std::copy({{get_array_name(var)}} + {{start}}, {{get_array_name(var)}} + {{stop}}, {{get_array_name(kept)}});
{% endfor %}
{{_begun}}[0] = 1;
{% endblock %}
