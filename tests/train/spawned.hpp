#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

// This program again, as several processes that know each other through the environment.

/// A port that nobody listens at.
inline int free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  const bool bound = ::bind(socket, reinterpret_cast<sockaddr*>(&address), length) == 0 &&
                     ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &length) == 0;
  ::close(socket);
  if (!bound) throw std::runtime_error("no port is free");
  return ntohs(address.sin_port);
}

/// `count` processes, each running the hidden test case `test`. Those still there at the end of the
/// scope are killed.
class Spawned {
 public:
  Spawned(int count, const std::string& test, std::vector<std::string> variables) {
    variables.push_back("MASTER_PORT=" + std::to_string(free_port()));
    variables.push_back("MASTER_ADDR=127.0.0.1");
    variables.push_back("WORLD_SIZE=" + std::to_string(count));
    variables.push_back("OMP_NUM_THREADS=1");
    for (int rank = 0; rank < count; ++rank) {
      auto own = variables;
      own.push_back("RANK=" + std::to_string(rank));
      const pid_t process = ::fork();
      if (process == 0) run(test, own);
      processes_.push_back(process);
    }
  }
  ~Spawned() {
    for (const pid_t process : processes_) {
      if (process <= 0) continue;
      ::kill(process, SIGKILL);
      ::waitpid(process, nullptr, 0);
    }
  }
  Spawned(const Spawned&) = delete;
  Spawned& operator=(const Spawned&) = delete;

  /// How process `rank` ended: what it returned, or minus the signal; the test's patience has an
  /// end.
  int ended(size_t rank) {
    const auto start = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - start < std::chrono::minutes(4)) {
      int status = 0;
      if (::waitpid(processes_[rank], &status, WNOHANG) == processes_[rank]) {
        processes_[rank] = 0;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return -1000;
  }

 private:
  [[noreturn]] static void run(const std::string& test, const std::vector<std::string>& variables) {
    for (const std::string& variable : variables) {
      const size_t at = variable.find('=');
      ::setenv(variable.substr(0, at).c_str(), variable.substr(at + 1).c_str(), 1);
    }
    ::execl("/proc/self/exe", "spawned", test.c_str(), static_cast<char*>(nullptr));
    ::_exit(127);
  }

  std::vector<pid_t> processes_;
};
