// Google Benchmark behind bench.h; the only C++ of the benchmark.
// SPDX-License-Identifier: MIT-0
#include "bench.h"

#include <benchmark/benchmark.h>

#include <cstring>
#include <iostream>
#include <string>
#include <vector>

struct bench_row {
    benchmark::State &state;
};

namespace {

bool writes_file = false;

// A reporter that tells of each benchmark only its last repetition, which sums up the others.
template <class Reporter> class LastOf : public Reporter {
  public:
    void ReportRuns(const std::vector<benchmark::BenchmarkReporter::Run> &runs) override
    {
        benchmark::BenchmarkReporter::Run last = runs.back();
        if (last.run_type != benchmark::BenchmarkReporter::Run::RT_Iteration)
            return; // means and the like
        last.run_name.iterations = last.run_name.repetitions = last.run_name.time_type = "";
        Reporter::ReportRuns({last});
    }
};

} // namespace

void bench_init(int *argc, char **argv)
{
    static char interleave[] = "--benchmark_enable_random_interleaving=true";
    std::vector<char *> arguments(argv, argv + *argc);
    arguments.insert(arguments.begin() + 1, interleave); // first, so that the user's options win
    for (int i = 1; i < *argc; ++i)
        writes_file = writes_file || std::strncmp(argv[i], "--benchmark_out=", 16) == 0;
    int count = static_cast<int>(arguments.size());
    benchmark::Initialize(&count, arguments.data());
    for (int i = 0; i < count; ++i) argv[i] = arguments[static_cast<std::size_t>(i)];
    *argc = count;
}

void bench_context(const char *key, const char *value)
{
    benchmark::AddCustomContext(key, value);
}

void bench_register(const char *name, bench_repetition *repetition, void *subject, int repetitions)
{
    benchmark::RegisterBenchmark(name, [=](benchmark::State &state) {
        for (auto _ : state) {
            bench_row row{state};
            state.SetIterationTime(repetition(subject, &row));
        }
    })->UseManualTime()->Iterations(1)->Repetitions(repetitions)->Unit(benchmark::kMicrosecond);
}

void bench_run(void)
{
    LastOf<benchmark::ConsoleReporter> console;
    LastOf<benchmark::JSONReporter> file;
    console.SetErrorStream(&std::cout); // standard error is for progress and errors
    if (writes_file)
        benchmark::RunSpecifiedBenchmarks(&console, &file);
    else
        benchmark::RunSpecifiedBenchmarks(&console);
    benchmark::Shutdown();
}

void bench_counter(struct bench_row *row, const char *name, double value)
{
    row->state.counters[name] = value;
}

void bench_label(struct bench_row *row, const char *text) { row->state.SetLabel(text); }

void bench_error(struct bench_row *row, const char *message) { row->state.SkipWithError(message); }
