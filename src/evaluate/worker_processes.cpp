#include "worker_processes.hpp"

#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <vector>

#include <fmt/format.h>

#include "mtl/core/error.hpp"

namespace mtl::evaluate {
namespace {

struct Worker {
  pid_t process = -1;
  int errors = -1;  // end of a pipe: what went wrong there; closed when the process has ended
  int64_t job = 0;
  std::string text;
};

[[noreturn]] void work(int64_t job, int errors, pid_t parent,
                       const std::function<void(int64_t)>& run) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1);  // it ended before that was said
  std::string text;
  try {
    run(job);
  } catch (const std::exception& error) {
    text = error.what();
  } catch (...) {
    text = "an exception of an unknown type";
  }
  std::fflush(stdout);
  if (text.empty()) _exit(0);
  size_t written = 0;
  while (written < text.size()) {
    const auto count = write(errors, text.data() + written, text.size() - written);
    if (count < 0 && errno != EINTR) break;
    if (count > 0) written += static_cast<size_t>(count);
  }
  _exit(1);
}

Worker start(int64_t job, const std::function<void(int64_t)>& run) {
  int ends[2];
  if (pipe(ends) != 0) throw Error("a pipe to a worker process: {}", std::strerror(errno));
  std::fflush(nullptr);  // what is in buffers would be written by both
  const pid_t parent = getpid();
  const pid_t process = fork();
  if (process < 0) {
    const int reason = errno;
    close(ends[0]);
    close(ends[1]);
    throw Error("a worker process could not be started: {}", std::strerror(reason));
  }
  if (process == 0) {
    close(ends[0]);
    work(job, ends[1], parent, run);
  }
  close(ends[1]);
  return {process, ends[0], job, {}};
}

class Workers {
 public:
  Workers() = default;
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;
  ~Workers() {
    for (Worker& worker : running_) {
      kill(worker.process, SIGKILL);
      close(worker.errors);
      waitpid(worker.process, nullptr, 0);
    }
  }

  size_t size() const { return running_.size(); }
  void add(Worker worker) { running_.push_back(std::move(worker)); }

  // Waits until one has ended. Returns the bytes that it took at most.
  int64_t wait_for_one(const std::function<std::string(int64_t)>& name) {
    while (true) {
      std::vector<pollfd> ends;
      for (const Worker& worker : running_) ends.push_back({worker.errors, POLLIN, 0});
      if (poll(ends.data(), ends.size(), -1) < 0) {
        if (errno == EINTR) continue;
        throw Error("waiting for worker processes: {}", std::strerror(errno));
      }
      for (size_t i = 0; i < ends.size(); ++i) {
        if (ends[i].revents == 0) continue;
        char part[4096];
        const auto count = read(running_[i].errors, part, sizeof part);
        if (count > 0) {
          running_[i].text.append(part, static_cast<size_t>(count));
        } else if (count == 0) {
          return take_leave(i, name);
        }
      }
    }
  }

 private:
  int64_t take_leave(size_t index, const std::function<std::string(int64_t)>& name) {
    const Worker worker = std::move(running_[index]);
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(index));
    close(worker.errors);
    int status = 0;
    rusage used{};
    while (wait4(worker.process, &status, 0, &used) < 0 && errno == EINTR) {
    }
    if (WIFSIGNALED(status))
      throw Error("{}: its process was ended by signal {} ({})", name(worker.job), WTERMSIG(status),
                  strsignal(WTERMSIG(status)));
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
      throw Error("{}: {}", name(worker.job),
                  worker.text.empty() ? "its process ended without a word" : worker.text);
    return static_cast<int64_t>(used.ru_maxrss) * 1024;
  }

  std::vector<Worker> running_;
};

}  // namespace

void run_in_processes(int64_t jobs, int64_t processes, int64_t memory,
                      const std::function<void(int64_t)>& job,
                      const std::function<std::string(int64_t)>& name) {
  Workers workers;
  // What a run takes is known when the first has ended.
  int64_t at_once = memory > 0 ? 1 : processes;
  for (int64_t next = 0; next < jobs || workers.size() > 0;) {
    if (next < jobs && static_cast<int64_t>(workers.size()) < at_once) {
      workers.add(start(next++, job));
      continue;
    }
    const int64_t taken = workers.wait_for_one(name);
    if (memory > 0)
      at_once = std::clamp<int64_t>(memory / std::max<int64_t>(taken, 1), 1, processes);
  }
}

}  // namespace mtl::evaluate
