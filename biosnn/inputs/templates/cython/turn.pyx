{% extends 'common_group.pyx' %}

{% block maincode %}
    _turn()
{% endblock %}
