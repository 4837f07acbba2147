{% extends 'common_group.pyx' %}

{% block maincode %}
    _clear()
{% endblock %}
