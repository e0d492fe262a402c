#include <dlfcn.h>
#include <execinfo.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <set>

#include "catch.hpp"
#include "device.hpp"
#include "problem.hpp"

using torch::Tensor;

/// Counts how often the CUDA runtime is asked to wait for the device between start and stop. The
/// program's own functions of the runtime's names come first and pass the call on, so that every
/// caller is seen: this library, torch, cuBLAS, cuDNN.
class SynchronizationCount {
 public:
  SynchronizationCount();  // starts
  ~SynchronizationCount();
  SynchronizationCount(const SynchronizationCount&) = delete;
  SynchronizationCount& operator=(const SynchronizationCount&) = delete;

  int64_t count() const;
  /// Who asked, one text for each different stack of callers in this program, with line numbers
  /// where addr2line is at hand.
  std::vector<std::string> callers() const;
};

namespace {

using Stack = std::vector<void*>;

std::atomic<bool> counting{false};
std::atomic<int64_t> counted{0};
std::mutex stacks_mutex;
std::set<Stack> stacks;

void note() {
  if (!counting) return;
  ++counted;
  Stack stack(64);
  stack.resize(static_cast<size_t>(backtrace(stack.data(), static_cast<int>(stack.size()))));
  const std::lock_guard lock(stacks_mutex);
  stacks.insert(std::move(stack));
}

/// Calls the runtime's own function of that name.
template <class... Arguments>
int pass_on(const char* name, Arguments... arguments) {
  using Function = int (*)(Arguments...);
  void* const found = dlsym(RTLD_NEXT, name);
  if (found == nullptr) return 999;  // cudaErrorUnknown: nobody but the runtime's users calls this
  return reinterpret_cast<Function>(found)(arguments...);
}

std::string line_of(const std::string& program, const void* offset) {
  char command[4096], text[512];
  std::snprintf(command, sizeof command, "addr2line -Cfpse '%s' %p 2>/dev/null", program.c_str(),
                offset);
  std::string line;
  if (FILE* pipe = popen(command, "r")) {
    if (std::fgets(text, sizeof text, pipe) != nullptr) line = text;
    pclose(pipe);
  }
  while (!line.empty() && line.back() == '\n') line.pop_back();
  return line;
}

}  // namespace

// cudaError_t is an enum, streams and events are pointers.
extern "C" {
int cudaStreamSynchronize(void* stream) {
  note();
  return pass_on("cudaStreamSynchronize", stream);
}
int cudaDeviceSynchronize() {
  note();
  return pass_on("cudaDeviceSynchronize");
}
int cudaEventSynchronize(void* event) {
  note();
  return pass_on("cudaEventSynchronize", event);
}
int cudaMemcpy(void* to, const void* from, size_t bytes, int kind) {
  note();
  return pass_on("cudaMemcpy", to, from, bytes, kind);
}
}

SynchronizationCount::SynchronizationCount() {
  counted = 0;
  {
    const std::lock_guard lock(stacks_mutex);
    stacks.clear();
  }
  counting = true;
}
SynchronizationCount::~SynchronizationCount() { counting = false; }

int64_t SynchronizationCount::count() const { return counted; }

std::vector<std::string> SynchronizationCount::callers() const {
  counting = false;
  Dl_info own{};
  dladdr(reinterpret_cast<void*>(&pass_on<>), &own);
  const std::lock_guard lock(stacks_mutex);
  std::vector<std::string> texts;
  for (const Stack& stack : stacks) {
    std::string text;
    int shown = 0;
    for (void* const address : stack) {
      Dl_info info{};
      if (dladdr(address, &info) == 0 || info.dli_fbase != own.dli_fbase) continue;
      const auto offset =
          reinterpret_cast<const char*>(address) - static_cast<const char*>(own.dli_fbase) - 1;
      const std::string line = line_of("/proc/" + std::to_string(getpid()) + "/exe",
                                       reinterpret_cast<const void*>(offset));
      if (line.find("test_synchronizations.cpp") != std::string::npos) continue;
      if (!line.empty()) text += "\n      " + line;
      if (++shown == 12) break;
    }
    texts.push_back(text.empty() ? "\n      (no caller in this program)" : text);
  }
  return texts;
}

namespace {

/// Where the program is to leave the table of what a step costs.
void report(const std::string& line) {
  std::puts(line.c_str());
  if (const char* file = std::getenv("MTL_TEST_COST"))
    std::ofstream(file, std::ios::app) << line << "\n";
}

std::string joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const auto& text : texts) all += text + "\n";
  return all;
}

/// How often one step may wait for the device: forward pass, losses and what the combiner does.
int64_t allowed(const std::string& name, const mtl::Combiner& combiner) {
  // Those that find a direction look at the rows before and at the direction after. A look at the
  // losses' values, at rows of their own, at other batches or at the net elsewhere is one more.
  static const std::map<std::string, int64_t> more = {
      {"famo", 2},        {"gradnorm", 2}, {"imtl", 2}, {"graddrop", 2}, {"trimmed_mean", 2},
      {"excess_mtl", 3},  {"db_mtl", 4},   {"moco", 5}, {"modo", 4},     {"sdmgrad", 4},
      {"auto_lambda", 5}, {"moml", 8},     {"forum", 8}};
  if (const auto found = more.find(name); found != more.end()) return found->second;
  return dynamic_cast<const mtl::LossCombiner*>(&combiner) != nullptr ? 0 : 1;
}

}  // namespace

TEST_CASE("A step waits for the device no more than its method must") {
  const auto device = test_device();
  if (!device) return;
  report(
      "times a step waits for the device (labels all there / some missing; forward, losses, "
      "combiner)");
  for (const std::string& name : mtl::combiner_names()) {
    INFO(name);
    auto model = problem_model(*device, torch::kFloat);
    const auto combiner = mtl::make_combiner(text_of(name), model->tasks());
    mtl::Batch whole = problem_batch(0, 0, *device, torch::kFloat);
    mtl::Batch further = problem_batch(0, 1, *device, torch::kFloat);
    mtl::Batch gappy = problem_batch(2, 0, *device, torch::kFloat);
    whole.complete = further.complete = true;
    const auto losses_of = [&](const mtl::Batch& batch) {
      return mtl::task_losses(*model, model->forward(batch.inputs), batch);
    };
    const auto step = [&](const mtl::Batch& batch) {
      for (const Tensor& parameter : model->parameters()) parameter.mutable_grad().reset();
      mtl::TaskLosses losses = losses_of(batch);
      losses.another_batch = [&] { return losses_of(further); };
      losses.same_batch = [&] { return losses_of(batch); };
      combiner->backward(losses, *model);
      if (combiner->wants_losses_after_step()) {
        const torch::NoGradGuard no_grad;
        combiner->after_step(losses_of(batch));
      }
    };
    for (int i = 0; i < 3; ++i) step(whole);  // memory, kernels and states are there from now on
    constexpr int64_t steps = 4;
    int64_t counts[2] = {0, 0};
    {
      const SynchronizationCount synchronizations;
      for (int64_t i = 0; i < steps; ++i) step(whole);
      counts[0] = synchronizations.count();
      const std::string callers =
          counts[0] > steps * allowed(name, *combiner) ? joined(synchronizations.callers()) : "";
      INFO(counts[0] << " waits in " << steps << " steps, asked for by" << callers);
      CHECK(counts[0] <= steps * allowed(name, *combiner));
      if (!callers.empty()) report(name + " waits for" + callers);
    }
    {
      const SynchronizationCount synchronizations;
      for (int64_t i = 0; i < steps; ++i) step(gappy);
      counts[1] = synchronizations.count();
    }
    char line[160];
    std::snprintf(line, sizeof line, "%-16s %5.2f %5.2f", name.c_str(),
                  static_cast<double>(counts[0]) / steps, static_cast<double>(counts[1]) / steps);
    report(line);
  }
}

TEST_CASE("An epoch of the trainer: how often a step waits for the device") {
  const auto device = test_device();
  if (!device) return;
  const mtl::Batch rows = problem_batch(0, 0, torch::kCPU, torch::kFloat, 320);
  for (const char* name : {"sum", "upgrad"}) {
    for (const double max_grad_norm : {0.0, 1.0}) {
      for (const bool prefetch : {false, true}) {
        auto model = problem_model(*device, torch::kFloat);
        torch::optim::Adam adam(model->parameters(), torch::optim::AdamOptions(1e-3));
        const auto combiner = mtl::make_combiner(name, model->tasks());
        mtl::BatchLoader batches(mtl::TensorDataset(rows.inputs, rows.targets), {.batch_size = 16});
        mtl::Prefetch ahead(batches, {.device = *device});
        const auto waits = [&](int64_t epochs) {
          mtl::Trainer trainer(
              model, adam, *combiner,
              {.epochs = epochs, .max_grad_norm = max_grad_norm, .device = *device});
          const SynchronizationCount synchronizations;
          if (prefetch) {
            trainer.fit(ahead);
          } else {
            trainer.fit(batches);
          }
          return synchronizations.count();
        };
        waits(1);
        const int64_t one = waits(1), four = waits(4);
        char line[200];
        std::snprintf(line, sizeof line, "trainer, %s%s%s: %.2f", name,
                      max_grad_norm > 0 ? ", clipped" : "", prefetch ? ", prefetch" : "",
                      static_cast<double>(four - one) / 60);
        report(line);
        CHECK(four >= one);
      }
    }
  }
}
