{% extends 'common_group.pyx' %}

{% block maincode %}
    _record()
{% endblock %}
