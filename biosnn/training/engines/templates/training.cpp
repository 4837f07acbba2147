{# The forward and the backward pass of a network, an example after the other; numpy_engine.py does the same. Of each example
   is kept: its spikes, and the state variables that the way back reads, which for linear neurons are none. A part of the
   examples belongs to one thread, which has gradients of its own. #}
#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <memory>
#include <thread>
#include <vector>
#ifdef __SSE__
#include <xmmintrin.h>
#endif

// Before C++17, `new` keeps no alignment beyond 16 bytes.
static_assert(__cplusplus >= 201703L, "this file needs -std=c++17");

typedef {{real}} real;
typedef {{"int32_t" if real == "float" else "int64_t"}} whole; // as wide, so that both fit one vector

namespace {
{{functions}}

{% for c in connections %}
const int delay_{{c.id}} = {{c.delay}};
{% endfor %}

// What a layer's equations are made of, but for what changes: worked out once per pass.
{% for l in layers %}
struct Constants_{{l.id}}
{
    int rest;
    {% for name in l.constants %}
    real {{name}};
    {% endfor %}
    void work_out(const double* given)
    {
        {% for name in l.given %}
        const double {{name}} = given[{{loop.index0}}];
        {% endfor %}
        rest = (int) given[{{l.given|length}}];
        {% for name, value in l.hoisted %}
        const double _{{name}} = {{value}};
        {{name}} = _{{name}};
        {% endfor %}
    }
};
{% endfor %}

{% if values %}
struct Input { const real* values; };
{% else %}
struct Input { const int64_t* indptr; const int32_t* neuron; const int32_t* step; };
{% endif %}

// The spikes of a layer in one example, those of a step next to each other, and what is kept of each.
{% for l in layers if l.spikes %}
struct Spikes_{{l.id}}
{
    int32_t count = 0;
    std::vector<int32_t> begin; // for each step, and the end
    std::vector<int32_t> neuron;
    std::vector<real> error{% for s in l.at_spikes %}, spike_{{s}}{% endfor %}{% for s in l.at_reset %}, reset_{{s}}{% endfor %}{% for s in l.at_release %}, release_{{s}}{% endfor %};
    // Room for eight more spikes: not looked for at every one.
    void make_room()
    {
        if (neuron.size() >= (size_t) count + 8) return;
        const size_t size = 2*(size_t) count + 64;
        neuron.resize(size);
        error.resize(size);
        {% for s in l.at_spikes %}
        spike_{{s}}.resize(size);
        {% endfor %}
        {% for s in l.at_reset %}
        reset_{{s}}.resize(size);
        {% endfor %}
        {% for s in l.at_release %}
        release_{{s}}.resize(size);
        {% endfor %}
    }
};
{% endfor %}

struct Kept
{
    {% if not values %}
    std::vector<int32_t> input_begin;
    {% endif %}
    {% for l in layers %}
    {% if l.spikes %}
    Spikes_{{l.id}} spikes_{{l.id}};
    {% endif %}
    {% for s in l.kept %}
    std::vector<real> before_{{l.id}}_{{s}};
    {% endfor %}
    {% for s in l.stepped %}
    std::vector<real> stepped_{{l.id}}_{{s}};
    {% endfor %}
    {% for s in l.before_reset if not detach_reset %}
    std::vector<real> waiting_{{l.id}}_{{s}}; // after arrivals, before resets
    {% endfor %}
    {% endfor %}
    int32_t extreme[{{output.size}}]; // the step of the maximum, or the number of the first spike
    {% if approach %}
    int32_t nearest[{{output.size}}]; // the step in which the threshold was nearest
    {% endif %}
};

// What the passes of a thread work on, an example after the other.
struct Bench
{
    {% for l in layers %}
    {% for s in l.states %}
    alignas(64) real {{s}}_{{l.id}}[{{l.size}}];
    alignas(64) real lambda_{{s}}_{{l.id}}[{{l.size}}];
    {% if first_spikes and l.id == output.id %}
    real before_{{s}}[{{l.size}}];
    {% endif %}
    {% endfor %}
    {% if l.spikes %}
    int32_t last_{{l.id}}[{{l.size}}];
    alignas(64) char fires_{{l.id}}[{{l.size}} + 8] = {}; // what is behind the end stays 0
    {% if not exact %}
    alignas(64) real slopes_{{l.id}}[{{l.size}}];
    {% endif %}
    {% endif %}
    {% endfor %}
    {% if approach %}
    real nearest[{{output.size}}];
    {% endif %}
    {% for c in connections %}
    // What an arriving spike would change the loss by, in this step and, with a delay, those after it.
    alignas(64) real arriving_{{c.id}}[{{"1" if exact else c.delay + 1}}][{{c.targets}}];
    {% if c.constant %}
    alignas(64) real adds_{{c.id}}[{{c.targets}}];
    alignas(64) real arrived_{{c.id}}[{{c.targets}}]; // in all steps
    {% elif exact and c.source is not none %}
    alignas(64) real sent_{{c.id}}[{{c.targets}}];
    {% endif %}
    {% endfor %}
};

struct Network
{
    int steps;
    double dt, duration;
    {% for l in layers %}
    Constants_{{l.id}} constants_{{l.id}};
    {% endfor %}
    {% for c in connections %}
    const real* weights_{{c.id}};
    {% if not c.dense %}
    const int64_t* indptr_{{c.id}};
    const int32_t* targets_{{c.id}};
    const int32_t* index_{{c.id}};
    {% endif %}
    {% endfor %}
};

// Of a part of the examples. That of the first part is where the sum of all is wanted.
struct Gradient
{
    {% for c in connections if c.trained %}
    real* weights_{{c.id}};
    std::vector<real> own_{{c.id}};
    {% if c.by_rows %}
    char seen_{{c.id}}[{{c.sources}}]; // sources that have spiked: rows of the others are not yet written
    {% endif %}
    {% endfor %}
    double parameters[{{parameters + 1}}];
    int64_t clipped;
    void begin(void* const* by_weights)
    {
        {% for c in connections if c.trained %}
        if (!by_weights) own_{{c.id}}.resize({{c.weights}});
        weights_{{c.id}} = by_weights ? (real*) by_weights[{{loop.index0}}] : own_{{c.id}}.data();
        {% if c.by_rows %}
        std::fill(seen_{{c.id}}, seen_{{c.id}} + {{c.sources}}, 0);
        {% else %}
        std::fill(weights_{{c.id}}, weights_{{c.id}} + {{c.weights}}, 0);
        {% endif %}
        {% endfor %}
        std::fill(parameters, parameters + {{parameters + 1}}, 0.0);
        clipped = 0;
    }
    void add(const Gradient& other)
    {
        {% for c in connections if c.trained %}
        {% if c.by_rows %}
        for (size_t source = 0; source < {{c.sources}}; source++)
        {
            if (!other.seen_{{c.id}}[source]) continue;
            real* const to = weights_{{c.id}} + source*{{c.targets}};
            const real* const from = other.weights_{{c.id}} + source*{{c.targets}};
            if (seen_{{c.id}}[source])
                for (int j = 0; j < {{c.targets}}; j++) to[j] += from[j];
            else std::copy(from, from + {{c.targets}}, to);
            seen_{{c.id}}[source] = 1;
        }
        {% else %}
        for (size_t k = 0; k < {{c.weights}}; k++) weights_{{c.id}}[k] += other.weights_{{c.id}}[k];
        {% endif %}
        {% endfor %}
        for (int k = 0; k < {{parameters}}; k++) parameters[k] += other.parameters[k];
        clipped += other.clipped;
    }
    // Rows of sources that have not spiked at all.
    void fill_rest()
    {
        {% for c in connections if c.trained and c.by_rows %}
        for (size_t source = 0; source < {{c.sources}}; source++)
            if (!seen_{{c.id}}[source]) std::fill_n(weights_{{c.id}} + source*{{c.targets}}, {{c.targets}}, 0);
        {% endfor %}
    }
};

// Of one engine: its network and inputs, in use until its next forward pass. Engines of the same source share the library.
struct Run
{
    Network network;
    Input input;
    std::vector<Kept> kept;
    std::vector<Gradient> gradients;
    std::vector<std::unique_ptr<Bench>> benches; // one of each thread
};

{# ---- macros: the spikes of a step, and the synapses of one ---- #}
{% macro sources_of(c) %}{% if c.source is none %}input.neuron + input.indptr[example]{% else %}kept.spikes_{{c.source}}.neuron.data(){% endif %}{% endmacro %}
{% macro begin_of(c, n) %}{% if c.source is none %}kept.input_begin[{{n}}]{% else %}kept.spikes_{{c.source}}.begin[{{n}}]{% endif %}{% endmacro %}
{% macro of_step(c, n) %}
const int32_t* const _sources = {{sources_of(c)}};
for (int32_t _spike = {{begin_of(c, n)}}; _spike < {{begin_of(c, n ~ " + 1")}}; _spike++)
{% endmacro %}
{% macro each_synapse(c, body) %}
{% if c.dense %}
const size_t _row = (size_t) _source*{{c.targets}};
#pragma GCC ivdep
for (int j = 0; j < {{c.targets}}; j++)
{
    const size_t _weight = _row + j;
    {{body}}
}
{% else %}
for (int64_t _k = network.indptr_{{c.id}}[_source]; _k < network.indptr_{{c.id}}[_source + 1]; _k++)
{
    const int j = network.targets_{{c.id}}[_k];
    const size_t _weight = network.index_{{c.id}}[_k];
    {{body}}
}
{% endif %}
{% endmacro %}
{% macro each_constant(c, body) %}
{% if c.constant == "bias" %}
const int _source = 0;
const real _value = 1;
{{body}}
{% else %}
for (int _source = 0; _source < {{inputs}}; _source++)
{
    const real _value = input.values[example*{{inputs}} + _source];
    if (_value == 0) continue;
    {{body}}
}
{% endif %}
{% endmacro %}
{% macro lost(c, n) %}last_{{c.target}}[j] == {{n}} || {{n}} - last_{{c.target}}[j] < constants_{{c.target}}.rest{% endmacro %}

void forward(Bench& bench, const Network& network, const Input& input, Kept& kept, size_t example, real* features)
{
    const int steps = network.steps;
    {% for l in layers %}
    const Constants_{{l.id}}& constants_{{l.id}} = network.constants_{{l.id}};
    {% for s in l.states %}
    auto& {{s}}_{{l.id}} = bench.{{s}}_{{l.id}};
    {% endfor %}
    {% for s, value in l.initial %}
    std::fill({{s}}_{{l.id}}, {{s}}_{{l.id}} + {{l.size}}, {{value}});
    {% endfor %}
    {% if l.spikes %}
    auto& last_{{l.id}} = bench.last_{{l.id}};
    std::fill(last_{{l.id}}, last_{{l.id}} + {{l.size}}, -1000000000);
    kept.spikes_{{l.id}}.count = 0;
    kept.spikes_{{l.id}}.begin.resize(steps + 1);
    auto& _fires_{{l.id}} = bench.fires_{{l.id}};
    {% endif %}
    {% for s in l.kept %}
    kept.before_{{l.id}}_{{s}}.resize((size_t) steps*{{l.size}});
    {% endfor %}
    {% for s in l.stepped %}
    kept.stepped_{{l.id}}_{{s}}.resize((size_t) steps*{{l.size}});
    {% endfor %}
    {% for s in l.before_reset if not detach_reset %}
    kept.waiting_{{l.id}}_{{s}}.resize((size_t) steps*{{l.size}});
    {% endfor %}
    {% endfor %}
    {% if not values %}
    {
        kept.input_begin.resize(steps + 1);
        int64_t k = input.indptr[example];
        for (int n = 0; n < steps; n++)
        {
            kept.input_begin[n] = k - input.indptr[example];
            while (k < input.indptr[example + 1] && input.step[k] == n) k++;
        }
        kept.input_begin[steps] = k - input.indptr[example];
    }
    {% endif %}
    {% for c in connections if c.constant %}
    // What arrives in each time step: worked out once.
    auto& adds_{{c.id}} = bench.adds_{{c.id}};
    std::fill(adds_{{c.id}}, adds_{{c.id}} + {{c.targets}}, 0);
    {
        const real* const _weights = network.weights_{{c.id}};
        {{each_constant(c, each_synapse(c, "adds_" ~ c.id ~ "[j] += _value*_weights[_weight];"))|indent(8)}}
    }
    {% endfor %}
    {% if first_spikes %}
    std::fill(features, features + {{output.size}}, std::numeric_limits<real>::infinity());
    std::fill(kept.extreme, kept.extreme + {{output.size}}, -1);
    {% if approach %}
    std::fill(bench.nearest, bench.nearest + {{output.size}}, -std::numeric_limits<real>::infinity());
    {% endif %}
    {% for s in output.states %}
    auto& _before_{{s}} = bench.before_{{s}};
    {% endfor %}
    {% elif feature == "max_potential" %}
    std::fill(features, features + {{output.size}}, -std::numeric_limits<real>::infinity());
    {% else %}
    std::fill(features, features + {{output.size}}, 0);
    {% endif %}
    for (int n = 0; n < steps; n++)
    {
        const double t = n*network.dt;
        (void) t;
        {% for l in layers %}
        {
            const Constants_{{l.id}}& c = constants_{{l.id}};
            (void) c;
            {% for s in l.kept %}
            std::copy({{s}}_{{l.id}}, {{s}}_{{l.id}} + {{l.size}}, kept.before_{{l.id}}_{{s}}.begin() + (size_t) n*{{l.size}});
            {% endfor %}
            {% if first_spikes and l.id == output.id %}
            {% for s in l.states %}
            std::copy({{s}}_{{l.id}}, {{s}}_{{l.id}} + {{l.size}}, _before_{{s}});
            {% endfor %}
            {% endif %}
            {% if l.spikes %}
            whole _any = 0;
            {% endif %}
            for (int i = 0; i < {{l.size}}; i++)
            {
                {% for s in l.states %}
                const real {{s}} = {{s}}_{{l.id}}[i];
                {% endfor %}
                {{l.step|indent(16)}}
                {% if l.rests %}
                const bool _held = n - last_{{l.id}}[i] < c.rest;
                {{l.step_held|indent(16)}}
                {% for s in l.states %}
                {{s}}_{{l.id}}[i] = _held ? _held_{{s}} : _new_{{s}};
                {% endfor %}
                {% else %}
                {% for s in l.states %}
                {{s}}_{{l.id}}[i] = _new_{{s}};
                {% endfor %}
                {% endif %}
                {% if l.spikes %}
                {
                    {% for s in l.states %}
                    const real {{s}} = {{s}}_{{l.id}}[i];
                    {% endfor %}
                    {{l.threshold|indent(20)}}
                    _any |= _g {{">=" if l.spikes_at_zero else ">"}} 0{% if l.rests %} && !_held{% endif %};
                }
                {% endif %}
            }
            {% for s in l.stepped %}
            std::copy({{s}}_{{l.id}}, {{s}}_{{l.id}} + {{l.size}}, kept.stepped_{{l.id}}_{{s}}.begin() + (size_t) n*{{l.size}});
            {% endfor %}
            {% if l.spikes %}
            Spikes_{{l.id}}& spikes = kept.spikes_{{l.id}};
            spikes.begin[n] = spikes.count;
            for (int i = 0; _any && i < {{l.size}}; i++)
            {
                {% for s in l.states %}
                const real {{s}} = {{s}}_{{l.id}}[i];
                {% endfor %}
                {{l.threshold|indent(16)}}
                _fires_{{l.id}}[i] = _g {{">=" if l.spikes_at_zero else ">"}} 0{% if l.rests %} && !(n - last_{{l.id}}[i] < c.rest){% endif %};
            }
            // Few neurons fire in a step: eight are looked at together.
            for (int _first = 0; _any && _first < {{l.size}}; _first += 8)
            {
                uint64_t _eight;
                std::memcpy(&_eight, _fires_{{l.id}} + _first, 8);
                if (_eight) spikes.make_room();
                for (; _eight; _eight &= _eight - 1)
                {
                    const int i = _first + __builtin_ctzll(_eight)/8;
                    const int32_t _spike = spikes.count++;
                    spikes.neuron[_spike] = i;
                    spikes.error[_spike] = 0;
                    {% for s in l.at_spikes %}
                    spikes.spike_{{s}}[_spike] = {{s}}_{{l.id}}[i];
                    {% endfor %}
                    {% for s in l.at_release %}
                    spikes.release_{{s}}[_spike] = 0;
                    {% endfor %}
                    last_{{l.id}}[i] = n;
                    {% if first_spikes and l.id == output.id %}
                    if (kept.extreme[i] < 0)
                    {
                        kept.extreme[i] = _spike;
                        real _now, _then;
                        {
                            {% for s in l.states %}
                            const real {{s}} = {{s}}_{{l.id}}[i];
                            {% endfor %}
                            {{l.threshold|indent(28)}}
                            _now = _g;
                        }
                        {
                            {% for s in l.states %}
                            const real {{s}} = _before_{{s}}[i];
                            {% endfor %}
                            {{l.threshold|indent(28)}}
                            _then = _g;
                        }
                        features[i] = (n - 1 + (_then < 0 ? -_then/(_now - _then) : 1))*network.dt;
                    }
                    {% elif feature == "spike_count" and l.id == output.id %}
                    features[i]++;
                    {% endif %}
                }
            }
            spikes.begin[n + 1] = spikes.count;
            {% endif %}
        }
        {% endfor %}
        {% for c in connections %}
        if (n >= delay_{{c.id}})
        {
            real* const _onto = {{c.onto}}_{{c.target}};
            {% if c.constant %}
            for (int j = 0; j < {{c.targets}}; j++)
                {% if c.lost %}if (!({{lost(c, "n")}})) {% endif %}_onto[j] += adds_{{c.id}}[j];
            {% else %}
            const real* const _weights = network.weights_{{c.id}};
            {% if c.dense and not c.lost %}
            // Rows of four spikes at a time: what they are added to is read and written once.
            int32_t _spike = {{begin_of(c, "n - delay_" ~ c.id)}};
            const int32_t _end = {{begin_of(c, "n - delay_" ~ c.id ~ " + 1")}};
            const int32_t* const _sources = {{sources_of(c)}};
            for (; _spike + 4 <= _end; _spike += 4)
            {
                {% for k in range(4) %}
                const real* const _row_{{k}} = _weights + (size_t) _sources[_spike + {{k}}]*{{c.targets}};
                {% endfor %}
                #pragma GCC ivdep
                for (int j = 0; j < {{c.targets}}; j++) _onto[j] = (((_onto[j] + _row_0[j]) + _row_1[j]) + _row_2[j]) + _row_3[j];
            }
            for (; _spike < _end; _spike++)
            {% else %}
            {{of_step(c, "n - delay_" ~ c.id)}}
            {% endif %}
            {
                const int _source = _sources[_spike];
                {% set body %}{% if c.lost %}if (!({{lost(c, "n")}})) {% endif %}_onto[j] += _weights[_weight];{% endset %}
                {{each_synapse(c, body)|indent(16)}}
            }
            {% endif %}
        }
        {% endfor %}
        {% for l in layers if l.spikes %}
        {
            const Constants_{{l.id}}& c = constants_{{l.id}};
            (void) c;
            Spikes_{{l.id}}& spikes = kept.spikes_{{l.id}};
            {% for s in l.before_reset if not detach_reset %}
            std::copy({{s}}_{{l.id}}, {{s}}_{{l.id}} + {{l.size}}, kept.waiting_{{l.id}}_{{s}}.begin() + (size_t) n*{{l.size}});
            {% endfor %}
            for (int32_t _spike = spikes.begin[n]; _spike < spikes.begin[n + 1]; _spike++)
            {
                const int i = spikes.neuron[_spike];
                {% for s in l.states %}
                const real {{s}} = {{s}}_{{l.id}}[i];
                {% endfor %}
                {% for s in l.at_reset %}
                spikes.reset_{{s}}[_spike] = {{s}};
                {% endfor %}
                {{l.reset|indent(16)}}
                {% for s in l.states %}
                {{s}}_{{l.id}}[i] = _new_{{s}};
                {% endfor %}
            }
            {% if l.at_release %}
            const int _ended = n + 1 - c.rest;
            for (int32_t _spike = _ended >= 0 ? spikes.begin[_ended] : 0; _ended >= 0 && _spike < spikes.begin[_ended + 1]; _spike++)
            {
                {% for s in l.at_release %}
                spikes.release_{{s}}[_spike] = {{s}}_{{l.id}}[spikes.neuron[_spike]];
                {% endfor %}
            }
            {% endif %}
        }
        {% endfor %}
        {% if approach %}
        for (int i = 0; i < {{output.size}}; i++)
        {
            const Constants_{{output.id}}& c = constants_{{output.id}};
            (void) c;
            {% for s in output.states %}
            const real {{s}} = {{s}}_{{output.id}}[i];
            {% endfor %}
            {{output.threshold|indent(12)}}
            if (_g <= bench.nearest[i]) continue;
            bench.nearest[i] = _g;
            kept.nearest[i] = n;
        }
        {% elif feature == "mean_potential" %}
        for (int i = 0; i < {{output.size}}; i++) features[i] += {{output.states[0]}}_{{output.id}}[i];
        {% elif feature == "max_potential" %}
        for (int i = 0; i < {{output.size}}; i++)
            if ({{output.states[0]}}_{{output.id}}[i] > features[i])
            {
                features[i] = {{output.states[0]}}_{{output.id}}[i];
                kept.extreme[i] = n;
            }
        {% endif %}
    }
    {% if approach %}
    for (int i = 0; i < {{output.size}}; i++)
        if (kept.extreme[i] < 0) features[i] = network.duration*(1 - bench.nearest[i]/{{output.distance}});
    {% elif feature == "mean_potential" %}
    for (int i = 0; i < {{output.size}}; i++) features[i] /= steps;
    {% elif feature == "last_potential" %}
    std::copy({{output.states[0]}}_{{output.id}}, {{output.states[0]}}_{{output.id}} + {{output.size}}, features);
    {% endif %}
}

{% if not exact %}
real surrogate(real x) { return {{slope}}; }
{% endif %}

void backward(Bench& bench, const Network& network, const Input& input, Kept& kept, size_t example, const real* by_features, const real* const* by_counts, Gradient& gradient)
{
    const int steps = network.steps;
    {% for l in layers %}
    const Constants_{{l.id}}& constants_{{l.id}} = network.constants_{{l.id}};
    {% for s in l.states %}
    auto& lambda_{{s}}_{{l.id}} = bench.lambda_{{s}}_{{l.id}};
    std::fill(lambda_{{s}}_{{l.id}}, lambda_{{s}}_{{l.id}} + {{l.size}}, 0);
    {% endfor %}
    {% if l.spikes %}
    // The last spike before the present step, or the present one, as on the way forward.
    auto& last_{{l.id}} = bench.last_{{l.id}};
    std::fill(last_{{l.id}}, last_{{l.id}} + {{l.size}}, -1000000000);
    {% if l.rests or l.may_lose %}
    for (int n = std::max(0, steps - std::max(1, constants_{{l.id}}.rest)); n < steps; n++)
        for (int32_t _spike = kept.spikes_{{l.id}}.begin[n]; _spike < kept.spikes_{{l.id}}.begin[n + 1]; _spike++)
            last_{{l.id}}[kept.spikes_{{l.id}}.neuron[_spike]] = n;
    {% endif %}
    {% endif %}
    {% for name in l.trained %}
    double _by_{{name}}_{{l.id}} = 0;
    {% endfor %}
    {% endfor %}
    {% for c in connections %}
    auto& arriving_{{c.id}} = bench.arriving_{{c.id}};
    {% if c.constant and c.trained %}
    auto& arrived_{{c.id}} = bench.arrived_{{c.id}};
    std::fill(arrived_{{c.id}}, arrived_{{c.id}} + {{c.targets}}, 0);
    {% elif exact and c.source is not none %}
    auto& sent_{{c.id}} = bench.sent_{{c.id}};
    {% endif %}
    {% endfor %}
    for (int n = steps - 1; n >= 0; n--)
    {
        const double t = n*network.dt;
        (void) t;
        {% if feature == "mean_potential" %}
        for (int i = 0; i < {{output.size}}; i++) lambda_{{output.states[0]}}_{{output.id}}[i] += by_features[i]/steps;
        {% elif feature == "max_potential" %}
        for (int i = 0; i < {{output.size}}; i++)
            if (kept.extreme[i] == n) lambda_{{output.states[0]}}_{{output.id}}[i] += by_features[i];
        {% elif feature == "last_potential" %}
        if (n == steps - 1)
            for (int i = 0; i < {{output.size}}; i++) lambda_{{output.states[0]}}_{{output.id}}[i] += by_features[i];
        {% elif first_spikes %}
        if (n == steps - 1)
            for (int i = 0; i < {{output.size}}; i++)
                if (kept.extreme[i] >= 0) kept.spikes_{{output.id}}.error[kept.extreme[i]] += by_features[i];
        {% if approach %}
        for (int i = 0; i < {{output.size}}; i++)
        {
            if (kept.extreme[i] >= 0 || kept.nearest[i] != n) continue;
            const Constants_{{output.id}}& c = constants_{{output.id}};
            (void) c;
            const real _by_g = -by_features[i]*network.duration/{{output.distance}};
            {% for s, value in output.threshold_gradient %}
            lambda_{{s}}_{{output.id}}[i] += _by_g*({{value}});
            {% endfor %}
            {% for name, value in output.threshold_parameters %}
            _by_{{name}}_{{output.id}} += _by_g*({{value}});
            {% endfor %}
        }
        {% endif %}
        {% endif %}
        {% for l in layers if l.rests and exact %}
        {
            const Constants_{{l.id}}& c = constants_{{l.id}};
            Spikes_{{l.id}}& spikes = kept.spikes_{{l.id}};
            const int _ended = n + 1 - c.rest;
            for (int32_t _spike = _ended >= 0 ? spikes.begin[_ended] : 0; _ended >= 0 && _spike < spikes.begin[_ended + 1]; _spike++)
            {
                const int i = spikes.neuron[_spike];
                {% for s in l.states %}
                const real _lambda_{{s}} = lambda_{{s}}_{{l.id}}[i];
                {% endfor %}
                {% for s in l.at_release %}
                const real {{s}} = spikes.release_{{s}}[_spike];
                {% endfor %}
                {{l.release|indent(16)}}
                spikes.error[_spike] += _released;
            }
        }
        {% endfor %}
        {% for c in connections %}
        {
            const Constants_{{c.target}}& c = constants_{{c.target}};
            (void) c;
            {% if c.constant %}
            const bool _any = n >= delay_{{c.id}}{{"" if c.trained else " && false"}};
            {% elif c.source is none %}
            const bool _any = n >= delay_{{c.id}} && kept.input_begin[n - delay_{{c.id}}] < kept.input_begin[n - delay_{{c.id}} + 1];
            {% else %}
            const bool _any = n >= delay_{{c.id}} && kept.spikes_{{c.source}}.begin[n - delay_{{c.id}}] < kept.spikes_{{c.source}}.begin[n - delay_{{c.id}} + 1];
            {% endif %}
            real* const _arriving = arriving_{{c.id}}[{{"0" if exact else "n % (delay_" ~ c.id ~ " + 1)"}}];
            if (_any{% if not exact and c.source is not none %} || true{% endif %})
            {
                std::copy(lambda_{{c.onto}}_{{c.target}}, lambda_{{c.onto}}_{{c.target}} + {{c.targets}}, _arriving);
                {% if c.through_reset %}
                for (int32_t _spike = kept.spikes_{{c.target}}.begin[n]; _spike < kept.spikes_{{c.target}}.begin[n + 1]; _spike++)
                {
                    const int i = kept.spikes_{{c.target}}.neuron[_spike];
                    {% for s in c.target_states %}
                    const real _lambda_{{s}} = lambda_{{s}}_{{c.target}}[i];
                    {% endfor %}
                    {% for s in c.target_at_reset %}
                    const real {{s}} = kept.spikes_{{c.target}}.reset_{{s}}[_spike];
                    {% endfor %}
                    {{c.through_reset|indent(20)}}
                    _arriving[i] = _through;
                }
                {% endif %}
                {% if c.lost %}
                for (int j = 0; j < {{c.targets}}; j++)
                    if ({{lost(c, "n")}}) _arriving[j] = 0;
                {% endif %}
            }
            {% if c.constant %}
            {% if c.trained %}
            if (_any)
                for (int j = 0; j < {{c.targets}}; j++) arrived_{{c.id}}[j] += _arriving[j];
            {% endif %}
            {% else %}
            if (_any)
            {
                {% if exact and c.source is not none %}
                for (int i = 0; i < {{c.targets}}; i++)
                {
                    {% for s in c.target_states %}
                    const real _lambda_{{s}} = lambda_{{s}}_{{c.target}}[i];
                    {% endfor %}
                    {% for s in c.target_stepped %}
                    const real {{s}} = kept.stepped_{{c.target}}_{{s}}[(size_t) n*{{c.targets}} + i];
                    {% endfor %}
                    {{c.sent|indent(20)}}
                    sent_{{c.id}}[i] = _sent_free;
                    {% if c.target_rests %}
                    {
                        const int j = i;
                        if ({{lost(c, "n")}})
                        {
                            {{c.sent_held|indent(28)}}
                            sent_{{c.id}}[i] = {{"0" if c.lost else "_sent_held"}};
                        }
                    }
                    {% endif %}
                }
                {% endif %}
                {% if c.trained %}
                real* const _by_weights = gradient.weights_{{c.id}};
                {% endif %}
                {{of_step(c, "n - delay_" ~ c.id)}}
                {
                    const int _source = _sources[_spike];
                    {% if c.by_rows and c.trained %}
                    if (!gradient.seen_{{c.id}}[_source])
                    {
                        gradient.seen_{{c.id}}[_source] = 1;
                        {{each_synapse(c, "_by_weights[_weight] = _arriving[j];")|indent(24)}}
                    }
                    else
                    {
                        {{each_synapse(c, "_by_weights[_weight] += _arriving[j];")|indent(24)}}
                    }
                    {% elif c.trained %}
                    {{each_synapse(c, "_by_weights[_weight] += _arriving[j];")|indent(20)}}
                    {% endif %}
                    {% if exact and c.source is not none %}
                    {
                        real _sum = 0;
                        const real* const _weights = network.weights_{{c.id}};
                        {{each_synapse(c, "_sum += _weights[_weight]*sent_" ~ c.id ~ "[j];")|indent(24)}}
                        kept.spikes_{{c.source}}.error[_spike] += _sum;
                    }
                    {% endif %}
                }
            }
            {% endif %}
        }
        {% endfor %}
        {% for l in layers if l.spikes %}
        {
            const Constants_{{l.id}}& c = constants_{{l.id}};
            (void) c;
            Spikes_{{l.id}}& spikes = kept.spikes_{{l.id}};
            (void) spikes;
            {% if exact %}
            for (int32_t _spike = spikes.begin[n]; _spike < spikes.begin[n + 1]; _spike++)
            {
                const int i = spikes.neuron[_spike];
                {% for s in l.states %}
                const real _lambda_{{s}} = lambda_{{s}}_{{l.id}}[i];
                {% endfor %}
                {% for s in l.at_spikes %}
                const real {{s}} = spikes.spike_{{s}}[_spike];
                {% endfor %}
                const real _err = spikes.error[_spike];
                {{l.slope|indent(16)}}
                {{l.jump|indent(16)}}
                {% if l.smallest_slope != "0.0" %}
                if (_gdot < (real) {{l.smallest_slope}})
                {
                    _gdot = {{l.smallest_slope}};
                    gradient.clipped++;
                }
                {% endif %}
                if (std::fabs(_B) > (real) {{l.largest_jump}}*_gdot && _B != 0)
                {
                    _B = _B > 0 ? {{l.largest_jump}} : -{{l.largest_jump}};
                    _gdot = 1;
                    gradient.clipped++;
                }
                {{l.before|indent(16)}}
                {% for s in l.states %}
                lambda_{{s}}_{{l.id}}[i] = _new_{{s}};
                {% endfor %}
                if (by_counts[{{loop.index0}}])
                {
                    {% for s, value in l.threshold_gradient %}
                    lambda_{{s}}_{{l.id}}[i] += ({{value}})*by_counts[{{loop.index0}}][i];
                    {% endfor %}
                }
                {% for name, value in l.jump_parameters %}
                _by_{{name}}_{{l.id}} += {{value}};
                {% endfor %}
            }
            {% else %}
            auto& _slopes = bench.slopes_{{l.id}};
            for (int i = 0; i < {{l.size}}; i++)
            {
                {% for s in l.stepped %}
                const real {{s}} = kept.stepped_{{l.id}}_{{s}}[(size_t) n*{{l.size}} + i];
                {% endfor %}
                {{l.threshold|indent(16)}}
                _slopes[i] = {% if l.rests %}n - last_{{l.id}}[i] < c.rest && last_{{l.id}}[i] != n ? (real) 0 : {% endif %}surrogate(_g/(real) {{l.width}})/(real) {{l.width}};
            }
            {# First where the loss goes through resets taken as given, then how it changes with whether there is a spike. #}
            int32_t _spike = spikes.begin[n];
            for (int i = 0; i < {{l.size}}; i++)
            {
                const bool _spiked = _spike < spikes.begin[n + 1] && spikes.neuron[_spike] == i;
                if (_slopes[i] == 0 && !_spiked) continue;
                {% for s in l.states %}
                const real _lambda_{{s}} = lambda_{{s}}_{{l.id}}[i];
                {% endfor %}
                real _by_spike = by_counts[{{loop.index0}}] ? by_counts[{{loop.index0}}][i] : 0;
                {% if feature == "spike_count" and l.id == output.id %}
                _by_spike += by_features[i];
                {% endif %}
                if (_slopes[i] != 0)
                {
                    {% for c in connections if c.source == l.id %}
                    if (n + delay_{{c.id}} < steps)
                    {
                        const int _source = i;
                        const real* const _weights = network.weights_{{c.id}};
                        const real* const _arriving = arriving_{{c.id}}[(n + delay_{{c.id}}) % (delay_{{c.id}} + 1)];
                        real _sum = 0;
                        {{each_synapse(c, "_sum += _weights[_weight]*_arriving[j];")|indent(24)}}
                        _by_spike += _sum;
                    }
                    {% endfor %}
                    {% if not detach_reset %}
                    {
                        {% for s in l.before_reset %}
                        const real {{s}} = kept.waiting_{{l.id}}_{{s}}[(size_t) n*{{l.size}} + i];
                        {% endfor %}
                        {{l.reset_change|indent(24)}}
                        _by_spike += _gone;
                    }
                    {% endif %}
                }
                {% for s in l.states %}
                real _new_{{s}} = _lambda_{{s}};
                {% endfor %}
                if (_spiked)
                {
                    {% for s in l.at_reset %}
                    const real {{s}} = spikes.reset_{{s}}[_spike];
                    {% endfor %}
                    {{l.through|indent(20)}}
                    {% for s in l.states %}
                    _new_{{s}} = _through_{{s}};
                    {% endfor %}
                    {% for name, value in l.reset_parameters %}
                    _by_{{name}}_{{l.id}} += {{value}};
                    {% endfor %}
                    _spike++;
                }
                {% for s in l.stepped %}
                const real {{s}} = kept.stepped_{{l.id}}_{{s}}[(size_t) n*{{l.size}} + i];
                {% endfor %}
                const real _through_spike = _slopes[i]*_by_spike;
                {% for s, value in l.threshold_gradient %}
                _new_{{s}} += _through_spike*({{value}});
                {% endfor %}
                {% for name, value in l.threshold_parameters %}
                _by_{{name}}_{{l.id}} += _through_spike*({{value}});
                {% endfor %}
                {% for s in l.states %}
                lambda_{{s}}_{{l.id}}[i] = _new_{{s}};
                {% endfor %}
            }
            {% endif %}
        }
        {% endfor %}
        {% for l in layers %}
        {
            const Constants_{{l.id}}& c = constants_{{l.id}};
            (void) c;
            {% if l.rests %}
            // Neurons that spiked in this step were free in it, and rested only if an earlier spike still lasted.
            for (int32_t _spike = kept.spikes_{{l.id}}.begin[n]; _spike < kept.spikes_{{l.id}}.begin[n + 1]; _spike++)
                last_{{l.id}}[kept.spikes_{{l.id}}.neuron[_spike]] = -1000000000;
            {% endif %}
            for (int i = 0; i < {{l.size}}; i++)
            {
                {% for s in l.states %}
                const real _lambda_{{s}} = lambda_{{s}}_{{l.id}}[i];
                {% endfor %}
                {% for s in l.kept %}
                const real {{s}} = kept.before_{{l.id}}_{{s}}[(size_t) n*{{l.size}} + i];
                {% endfor %}
                {{l.back|indent(16)}}
                {% if l.rests %}
                const bool _held = n - last_{{l.id}}[i] < c.rest;
                {{l.back_held|indent(16)}}
                {% for s in l.states %}
                lambda_{{s}}_{{l.id}}[i] = _held ? _held_{{s}} : _new_{{s}};
                {% endfor %}
                {% for name in l.trained %}
                _by_{{name}}_{{l.id}} += _held ? _held_by_{{name}} : _step_by_{{name}};
                {% endfor %}
                {% else %}
                {% for s in l.states %}
                lambda_{{s}}_{{l.id}}[i] = _new_{{s}};
                {% endfor %}
                {% for name in l.trained %}
                _by_{{name}}_{{l.id}} += _step_by_{{name}};
                {% endfor %}
                {% endif %}
            }
            {% if l.rests %}
            // Those whose rest ends with this step: it began with a spike so many steps before.
            const int _begun = n - std::max(1, c.rest);
            for (int32_t _spike = _begun >= 0 ? kept.spikes_{{l.id}}.begin[_begun] : 0; _begun >= 0 && _spike < kept.spikes_{{l.id}}.begin[_begun + 1]; _spike++)
                last_{{l.id}}[kept.spikes_{{l.id}}.neuron[_spike]] = _begun;
            {% elif l.may_lose %}
            if (n > 0)
                for (int32_t _spike = kept.spikes_{{l.id}}.begin[n - 1]; _spike < kept.spikes_{{l.id}}.begin[n]; _spike++)
                    last_{{l.id}}[kept.spikes_{{l.id}}.neuron[_spike]] = n - 1;
            {% endif %}
        }
        {% endfor %}
    }
    {% for c in connections if c.constant and c.trained %}
    {
        real* const _by_weights = gradient.weights_{{c.id}};
        {{each_constant(c, each_synapse(c, "_by_weights[_weight] += _value*arrived_" ~ c.id ~ "[j];"))|indent(8)}}
    }
    {% endfor %}
    {% for l in layers %}
    {% for name, s, value in l.initial_parameters %}
    for (int i = 0; i < {{l.size}}; i++) _by_{{name}}_{{l.id}} += constants_{{l.id}}.{{value}}*lambda_{{s}}_{{l.id}}[i];
    {% endfor %}
    {% for name in l.trained %}
    gradient.parameters[{{l.parameter_places[name]}}] += _by_{{name}}_{{l.id}};
    {% endfor %}
    {% endfor %}
}

// Numbers near zero, to which adjoints decay, are taken for zero while a pass runs: they would take a hundred times longer.
struct NoDenormals
{
#ifdef __SSE__
    unsigned before = _mm_getcsr();
    NoDenormals() { _mm_setcsr(before | 0x8040); }
    ~NoDenormals() { _mm_setcsr(before); }
#endif
};

// The examples in equal parts, each in a thread of its own.
template <class Work> void in_parts(Run& run, size_t examples, int parts, int threads, Work work)
{
    std::atomic<int> next(0);
    while (run.benches.size() < (size_t) threads) run.benches.emplace_back(new Bench);
    const auto take = [&](int thread)
    {
        NoDenormals denormals;
        for (int part = next++; part < parts; part = next++)
            work(*run.benches[thread], part, examples*part/parts, examples*(part + 1)/parts);
    };
    std::vector<std::thread> others;
    for (int thread = 1; thread < std::min(parts, threads); thread++) others.emplace_back(take, thread);
    take(0);
    for (std::thread& other : others) other.join();
}
}

extern "C" {
void* biosnn_new() { return new Run; }

void biosnn_delete(void* run) { delete (Run*) run; }

void biosnn_forward(
    void* of, int64_t examples, const void* const* inputs, const void* const* weights, const void* const* lists,
    const double* const* values, int steps, double dt, double duration, int threads, real* features)
{
    Run& run = *(Run*) of;
    run.network.steps = steps;
    run.network.dt = dt;
    run.network.duration = duration;
    {% if values %}
    run.input = {(const real*) inputs[0]};
    {% else %}
    run.input = {(const int64_t*) inputs[0], (const int32_t*) inputs[1], (const int32_t*) inputs[2]};
    {% endif %}
    run.kept.resize(std::max(run.kept.size(), (size_t) examples));
    {% for l in layers %}
    run.network.constants_{{l.id}}.work_out(values[{{loop.index0}}]);
    {% endfor %}
    {% for c in connections %}
    run.network.weights_{{c.id}} = (const real*) weights[{{loop.index0}}];
    {% if not c.dense %}
    run.network.indptr_{{c.id}} = (const int64_t*) lists[{{3*loop.index0}}];
    run.network.targets_{{c.id}} = (const int32_t*) lists[{{3*loop.index0 + 1}}];
    run.network.index_{{c.id}} = (const int32_t*) lists[{{3*loop.index0 + 2}}];
    {% endif %}
    {% endfor %}
    in_parts(run, examples, std::max<int64_t>(threads, 8), threads, [&](Bench& bench, int, size_t begin, size_t end)
    {
        for (size_t example = begin; example < end; example++)
            forward(bench, run.network, run.input, run.kept[example], example, features + example*{{output.size}});
    });
}

// by_counts: for each layer that spikes, a number for each example and neuron, or nothing.
int64_t biosnn_backward(
    void* of, int64_t examples, const real* by_features, const real* const* by_counts, int threads, void* const* by_weights,
    double* by_parameters)
{
    Run& run = *(Run*) of;
    const int parts = std::max(2, threads);
    run.gradients.resize(parts);
    in_parts(run, examples, parts, threads, [&](Bench& bench, int part, size_t begin, size_t end)
    {
        run.gradients[part].begin(part ? nullptr : by_weights);
        for (size_t example = begin; example < end; example++)
        {
            const real* counts[{{layers|selectattr("spikes")|list|length + 1}}] = {};
            {% for l in layers if l.spikes %}
            if (by_counts[{{loop.index0}}]) counts[{{loop.index0}}] = by_counts[{{loop.index0}}] + example*{{l.size}};
            {% endfor %}
            backward(bench, run.network, run.input, run.kept[example], example, by_features + example*{{output.size}}, counts, run.gradients[part]);
        }
    });
    Gradient& sum = run.gradients[0];
    for (int part = 1; part < parts; part++) sum.add(run.gradients[part]);
    sum.fill_rest();
    std::copy(sum.parameters, sum.parameters + {{parameters}}, by_parameters);
    return sum.clipped;
}

// A step of Adam, with weights that decay by themselves: what `optimizers.py` does, in one pass over memory.
void biosnn_adam(
    int64_t n, real* __restrict values, const real* __restrict gradient, real* __restrict mean, real* __restrict square,
    const double* given)
{
    const real keep = given[0], beta_1 = given[1], beta_2 = given[2], root = given[3], epsilon = given[4], rate = given[5];
    for (int64_t k = 0; k < n; k++)
    {
        mean[k] += (1 - beta_1)*(gradient[k] - mean[k]);
        square[k] += (1 - beta_2)*(gradient[k]*gradient[k] - square[k]);
        values[k] = keep*values[k] - rate*mean[k]/(std::sqrt(square[k])/root + epsilon);
    }
}

// How many spikes a layer had in each example; then which.
void biosnn_spike_counts(void* of, int64_t examples, int layer, int64_t* counts)
{
    Run& run = *(Run*) of;
    (void) run;
    for (int64_t example = 0; example < examples; example++)
    {
        {% for l in layers if l.spikes %}
        if (layer == {{loop.index0}}) counts[example] = run.kept[example].spikes_{{l.id}}.count;
        {% endfor %}
    }
}

void biosnn_spikes(void* of, int64_t examples, int layer, int32_t* neuron, int32_t* step)
{
    Run& run = *(Run*) of;
    (void) run;
    for (int64_t example = 0; example < examples; example++)
    {
        {% for l in layers if l.spikes %}
        if (layer == {{loop.index0}})
        {
            const Spikes_{{l.id}}& spikes = run.kept[example].spikes_{{l.id}};
            neuron = std::copy_n(spikes.neuron.begin(), spikes.count, neuron);
            for (int n = 0; n < run.network.steps; n++) step = std::fill_n(step, spikes.begin[n + 1] - spikes.begin[n], n);
        }
        {% endfor %}
    }
}
}
