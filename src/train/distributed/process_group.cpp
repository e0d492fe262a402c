#include "process_group.hpp"

#include <fmt/format.h>

#include "mtl/core/error.hpp"

#if MTL_HAS_GLOO
#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#ifndef USE_C10D_GLOO
#define USE_C10D_GLOO  // torch's headers hide the class otherwise
#endif
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>
#endif

namespace mtl {
#if MTL_HAS_GLOO
namespace {

using std::chrono::milliseconds;

double seconds_of(milliseconds time) { return std::chrono::duration<double>(time).count(); }

/// What torch or Gloo says, without its place in their sources and their advice.
std::string first_line(std::string text) {
  text.erase(std::min(text.find('\n'), text.size()));
  if (text.starts_with("["))
    if (const size_t end = text.find("] "); end != std::string::npos) text.erase(0, end + 2);
  text.erase(std::min(text.find(". This is typically"), text.size()));
  while (!text.empty() && (text.back() == '.' || text.back() == ' ')) text.pop_back();
  return text;
}

/// The address of this machine that leads to `host`, as others there see it.
std::string address_towards(const std::string& host, int port) {
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_DGRAM;
  if (getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0)
    throw Error("Processes: cannot find the machine \"{}\" of process 0; look at MASTER_ADDR",
                host);
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  for (const addrinfo* info = found; info != nullptr; info = info->ai_next) {
    const int socket = ::socket(info->ai_family, SOCK_DGRAM, 0);
    if (socket < 0) continue;
    sockaddr_storage own{};
    socklen_t length = sizeof own;
    char text[NI_MAXHOST] = "";
    // Nothing is sent: it only asks which way a datagram would take.
    const bool known = connect(socket, info->ai_addr, info->ai_addrlen) == 0 &&
                       getsockname(socket, reinterpret_cast<sockaddr*>(&own), &length) == 0 &&
                       getnameinfo(reinterpret_cast<sockaddr*>(&own), length, text, sizeof text,
                                   nullptr, 0, NI_NUMERICHOST) == 0;
    close(socket);
    if (known) return text;
  }
  throw Error(
      "Processes: no way leads to \"{}\", the machine of process 0; look at MASTER_ADDR and the "
      "network",
      host);
}

class GlooGroup : public ProcessGroup {
 public:
  GlooGroup(const ProcessPlace& place, milliseconds timeout, std::string address)
      : place_(place), timeout_(timeout) {
    if (address.empty()) address = address_towards(place.host, place.port);
    try {
      c10d::TCPStoreOptions options;
      options.port = static_cast<uint16_t>(place.port);
      options.isServer = place.rank == 0;
      options.numWorkers = static_cast<size_t>(place.count);
      options.timeout = timeout;
      store_ = c10::make_intrusive<c10d::TCPStore>(place.host, options);
      auto group_options = c10d::ProcessGroupGloo::Options::create(timeout);
      group_options->devices.push_back(c10d::ProcessGroupGloo::createDeviceForHostname(address));
      group_ = c10::make_intrusive<c10d::ProcessGroupGloo>(
          store_, static_cast<int>(place.rank), static_cast<int>(place.count), group_options);
    } catch (const std::exception& error) {
      throw Error(
          "Processes: process {} of {} did not meet the others at {}:{} within {} s: {}. Start all "
          "of them, with the same MASTER_ADDR and MASTER_PORT and each with its own RANK",
          place.rank, place.count, place.host, place.port, seconds_of(timeout),
          first_line(error.what()));
    }
  }

  std::function<void()> start_sum(Tensor tensor) override {
    // Gloo works on the vector's tensors after the call returns.
    auto tensors = std::make_shared<std::vector<Tensor>>(1, std::move(tensor));
    auto work = named([&] { return group_->allreduce(*tensors); });
    return [this, tensors, work] { named([&] { return work->wait(); }); };
  }

  std::vector<Tensor> gather(const Tensor& tensor) override {
    std::vector<Tensor> own{tensor};
    std::vector<std::vector<Tensor>> all(1);
    for (int64_t p = 0; p < place_.count; ++p) all[0].push_back(torch::empty_like(tensor));
    named([&] { return group_->allgather(all, own)->wait(); });
    return std::move(all[0]);
  }

  void broadcast(Tensor tensor) override {
    std::vector<Tensor> tensors{std::move(tensor)};
    named([&] { return group_->broadcast(tensors)->wait(); });
  }

 private:
  template <class Act>
  auto named(Act act) -> decltype(act()) {
    try {
      return act();
    } catch (const std::exception& error) {
      throw Error(
          "process {} of {}: the exchange with the others failed: {}. Another process ended, hangs "
          "for longer than {} s, or its link is cut; its own output may say why. Start all of them "
          "again: a run with checkpoints goes on with `resume`",
          place_.rank, place_.count, first_line(error.what()), seconds_of(timeout_));
    }
  }

  ProcessPlace place_;
  milliseconds timeout_;
  c10::intrusive_ptr<c10d::TCPStore> store_;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> group_;
};

}  // namespace

std::unique_ptr<ProcessGroup> join_processes(const ProcessPlace& place, milliseconds timeout,
                                             std::string address) {
  return std::make_unique<GlooGroup>(place, timeout, std::move(address));
}

bool can_join_processes() { return true; }

#else

std::unique_ptr<ProcessGroup> join_processes(const ProcessPlace& place, std::chrono::milliseconds,
                                             std::string) {
  throw Error(
      "Processes: this is process {} of {}, but the library was built without Gloo. Install its "
      "headers (on Debian: libgloo-dev) and build it anew, or start one process",
      place.rank, place.count);
}

bool can_join_processes() { return false; }

#endif
}  // namespace mtl
