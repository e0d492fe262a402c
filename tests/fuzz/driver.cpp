#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/time.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <exception>
#include <fstream>
#include <random>

#include "target.hpp"

// Runs a target without libFuzzer, with any compiler: its corpus, then inputs made from it by
// chance, the same ones for the same seed.
//   mtl_fuzz TARGET [runs] [seed]     the corpus and `runs` mutations (default 1000)
//   mtl_fuzz TARGET --file FILE       one input, as a crash leaves it
//   mtl_fuzz TARGET --seeds FOLDER    writes corpus and seeds there, for libFuzzer
//   mtl_fuzz --list                   the targets' names

namespace {

namespace fs = std::filesystem;

constexpr size_t longest_input = 1 << 16;
constexpr int seconds_an_input = 20;
constexpr rlim_t memory_beyond = rlim_t{2} << 30;  // more than any input of 64 KiB may ask for

std::string current;            // the input that runs
const char* current_name = "";  // of its target

void say(const char* text) { [[maybe_unused]] const auto n = ::write(2, text, std::strlen(text)); }

// Leaves the input that did it; only what a signal handler may call.
extern "C" void on_crash(int signal_number) {
  const int file = ::open("fuzz-crash", O_WRONLY | O_CREAT | O_TRUNC, 0644);
  [[maybe_unused]] const auto n = ::write(file, current.data(), current.size());
  say("\nfuzz: target ");
  say(current_name);
  say(signal_number == SIGALRM ? " takes too long" : " crashed");
  say("; its input is in ./fuzz-crash\n");
  ::signal(signal_number == SIGALRM ? SIGABRT : signal_number, SIG_DFL);
  ::raise(signal_number == SIGALRM ? SIGABRT : signal_number);
}

void watch_over() {
  // A stack of its own: one that overflows has no room for the handler.
  static char stack[1 << 16];
  const stack_t room{stack, 0, sizeof stack};
  ::sigaltstack(&room, nullptr);
  struct sigaction action {};
  action.sa_handler = on_crash;
  action.sa_flags = SA_ONSTACK | static_cast<int>(SA_RESETHAND);
  for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGALRM})
    ::sigaction(number, &action, nullptr);
}

// An allocation beyond it fails, and what a target throws then is no mtl::Error.
void limit_memory() {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  std::ifstream statm("/proc/self/statm");
  rlim_t pages = 0;
  statm >> pages;
  const rlim_t most = pages * static_cast<rlim_t>(::sysconf(_SC_PAGESIZE)) + memory_beyond;
  const rlimit limit{most, most};
  ::setrlimit(RLIMIT_AS, &limit);
#endif
}

void run(const fuzz::Target& target, std::string bytes) {
  current = std::move(bytes);
  ::alarm(seconds_an_input);
  try {
    target.run(current);
  } catch (const std::exception& error) {
    fuzz::require(false, "not an mtl::Error", error.what());
  }
  ::alarm(0);
}

std::vector<std::string> corpus(const fuzz::Target& target) {
  std::vector<fs::path> files;
  const fs::path folder = fs::path(MTL_SOURCE_DIR) / "tests/fuzz/corpus" / target.name;
  if (fs::exists(folder))
    for (const auto& entry : fs::directory_iterator(folder)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  std::vector<std::string> inputs = {""};
  for (const auto& file : files) inputs.push_back(mtl::io::read_file(file));
  if (target.seeds != nullptr)
    for (std::string& seed : target.seeds()) inputs.push_back(std::move(seed));
  return inputs;
}

class Mutator {
 public:
  Mutator(const fuzz::Target& target, const std::vector<std::string>& inputs, uint64_t seed)
      : target_(target), inputs_(inputs), random_(seed) {}

  std::string next() {
    std::string bytes = inputs_[below(inputs_.size())];
    for (size_t rounds = 1 + below(4); rounds > 0; --rounds) change(bytes);
    if (bytes.size() > longest_input) bytes.resize(longest_input);
    return bytes;
  }

 private:
  size_t below(size_t count) { return count == 0 ? 0 : random_() % count; }

  void change(std::string& bytes) {
    static const std::vector<std::string_view> numbers = {"0",          "-1",
                                                          "1",          "2",
                                                          "7",          "255",
                                                          "65536",      "1e9",
                                                          "1e300",      "-0.5",
                                                          "4294967296", "1e-9",
                                                          "2147483647", "9223372036854775807",
                                                          "",           "null",
                                                          "[1,2]",      "nan",
                                                          "\"x\"",      "-9223372036854775808"};
    const size_t at = below(bytes.size() + 1),
                 length = below(std::min<size_t>(bytes.size(), 32)) + 1;
    switch (below(10)) {
      case 0:
        if (at < bytes.size()) bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
        break;
      case 1:
        if (at < bytes.size()) bytes[at] = static_cast<char>(random_());
        break;
      case 2:
        bytes.insert(at, 1, static_cast<char>(random_()));
        break;
      case 3:
        bytes.erase(at, length);
        break;
      case 4:  // a piece once more
        bytes.insert(below(bytes.size() + 1), bytes.substr(at, length));
        break;
      case 5:  // many times
        for (size_t n = below(200); n > 0 && bytes.size() < longest_input; --n)
          bytes.insert(at, bytes.substr(at, length));
        break;
      case 6:
        if (!target_.words.empty()) bytes.insert(at, target_.words[below(target_.words.size())]);
        break;
      case 7: {  // another number in the place of the next one
        const size_t begin = std::min(bytes.find_first_of("0123456789", at), bytes.size());
        const size_t end =
            std::min(bytes.find_first_not_of("0123456789.eE-+", begin), bytes.size());
        bytes.replace(begin, end - begin, numbers[below(numbers.size())]);
        break;
      }
      case 8: {  // the end of another input
        const std::string& other = inputs_[below(inputs_.size())];
        bytes = bytes.substr(0, at) + other.substr(std::min(below(other.size() + 1), other.size()));
        break;
      }
      case 9:
        bytes.resize(at);
        break;
    }
  }

  const fuzz::Target& target_;
  const std::vector<std::string>& inputs_;
  std::mt19937_64 random_;
};

int usage() {
  std::fprintf(stderr,
               "mtl_fuzz TARGET [runs] [seed] | TARGET --file FILE | TARGET --seeds FOLDER"
               " | --list\n");
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.empty()) return usage();
  if (arguments[0] == "--list") {
    for (const auto& target : fuzz::targets())
      std::printf("%s\n", std::string(target.name).c_str());
    return 0;
  }
  const auto& all = fuzz::targets();
  const auto target = std::find_if(all.begin(), all.end(),
                                   [&](const auto& one) { return one.name == arguments[0]; });
  if (target == all.end()) return usage();
  current_name = target->name.data();
  if (arguments.size() == 3 && arguments[1] == "--file") {
    watch_over();
    run(*target, mtl::io::read_file(arguments[2]));
    return 0;
  }
  const std::vector<std::string> inputs = corpus(*target);
  if (arguments.size() == 3 && arguments[1] == "--seeds") {
    fs::create_directories(arguments[2]);
    for (size_t i = 0; i < inputs.size(); ++i)
      fuzz::put(fs::path(arguments[2]) / ("seed-" + std::to_string(i)), inputs[i]);
    return 0;
  }
  const uint64_t runs = arguments.size() > 1 ? std::stoull(arguments[1]) : 1000;
  const uint64_t seed = arguments.size() > 2 ? std::stoull(arguments[2]) : 1;
  watch_over();
  for (const std::string& input : inputs) run(*target, input);
  limit_memory();
  Mutator mutator(*target, inputs, seed);
  for (uint64_t i = 0; i < runs; ++i) run(*target, mutator.next());
  std::printf("%s: %zu inputs, %llu mutations\n", current_name, inputs.size(),
              static_cast<unsigned long long>(runs));
  return 0;
}
