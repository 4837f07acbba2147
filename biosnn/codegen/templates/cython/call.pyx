{# A task on the targets that run in this process: it is a Python function. #}
{% extends 'common_group.pyx' %}

{% block maincode %}
    _do()
{% endblock %}
