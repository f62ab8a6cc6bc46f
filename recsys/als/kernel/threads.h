// Runs numbered tasks on a few threads. Which thread runs a task never changes its result.
#pragma once

#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

// Calls work(task, worker) once for each task 0 .. tasks - 1, lowest first; workers are numbered below `threads`.
template <class Work>
void run_tasks(int64_t tasks, int threads, const Work& work) {
    std::atomic<int64_t> next{0};
    const auto worker = [&](int number) {
        for (int64_t task; (task = next.fetch_add(1)) < tasks;) work(task, number);
    };
    std::vector<std::thread> others;
    for (int number = 1; number < threads; ++number) others.emplace_back(worker, number);
    worker(0);
    for (std::thread& thread : others) thread.join();
}
