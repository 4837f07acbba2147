{% extends 'common_group.pyx' %}

{% block maincode %}
    _line()
{% endblock %}
