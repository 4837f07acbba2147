// At the end of main: how much memory the program has held at most, and its time.
{
    std::ifstream status("/proc/self/status");
    std::string word;
    long kilobytes = 0;
    while (status >> word)
        if (word == "VmHWM:")
            status >> kilobytes;
    std::printf("biosnn-usage %ld %.3f\n", 1024 * kilobytes, double(std::clock()) / CLOCKS_PER_SEC);
}
