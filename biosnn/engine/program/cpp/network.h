// The simulation loop: every object of a network, at every step of its clock.
#ifndef BIOSNN_NETWORK_H
#define BIOSNN_NETWORK_H

#include <cstddef>
#include <utility>
#include <vector>

#include "base_clock.h"

typedef void (*codeobj_func)();

class Network
{
public:
    double t = 0.0;
    static double _last_run_time;
    static double _last_run_completed_fraction;
    static bool _globally_stopped;
    static bool _globally_running;
    static int runs; // how many runs have begun in this program

    void clear();
    void add(BaseClock *clock, codeobj_func function);
    // Simulate `duration` seconds; progress goes to the standard output, a line now and then.
    void run(double duration);

private:
    std::vector<std::pair<BaseClock *, codeobj_func> > objects;
    std::vector<BaseClock *> clocks;
    BaseClock *earliest() const;
};

#endif
