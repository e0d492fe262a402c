#include "mtl/train/distributed/processes.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <map>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "mtl/core/error.hpp"
#include "mtl/core/number_in.hpp"
#include "mtl/io/json.hpp"
#include "mtl/train/history.hpp"
#include "process_group.hpp"

namespace mtl {
namespace {

int64_t number_of(const char* name, const char* text) {
  const auto number = number_in<int64_t>(text);
  if (!number)
    throw Error("Processes: the environment variable {} is \"{}\", expected a number", name, text);
  return *number;
}

bool set_number(int64_t& number, const char* name) {
  const char* text = std::getenv(name);
  if (text == nullptr || *text == 0) return false;
  number = number_of(name, text);
  return true;
}

/// Tensors of one type laid out in one piece.
struct Piece {
  Tensor flat;   // on the CPU, as it travels
  Tensor there;  // where the tensors lie
  std::function<void()> wait;
};

Tensor packed(const std::vector<Tensor>& tensors, const std::vector<size_t>& some) {
  std::vector<Tensor> flat;
  for (const size_t t : some) flat.push_back(tensors[t].reshape(-1));
  // One alone is copied as well: the sum is made in place.
  return (flat.size() == 1 ? flat.front().clone() : torch::cat(flat)).cpu();
}

/// Which tensors travel together: those of one type, in order.
std::vector<std::vector<size_t>> by_type(const std::vector<Tensor>& tensors) {
  std::map<std::pair<c10::ScalarType, c10::DeviceType>, std::vector<size_t>> types;
  for (size_t t = 0; t < tensors.size(); ++t)
    types[{tensors[t].scalar_type(), tensors[t].device().type()}].push_back(t);
  std::vector<std::vector<size_t>> parts;
  for (auto& [type, some] : types) parts.push_back(std::move(some));
  return parts;
}

Tensor as_bytes(const std::string& text) {
  const Tensor bytes = torch::empty({static_cast<int64_t>(text.size())}, torch::kUInt8);
  if (!text.empty()) std::memcpy(bytes.data_ptr(), text.data(), text.size());
  return bytes;
}

std::string as_text(const Tensor& bytes) {
  const Tensor plain = bytes.contiguous();
  return {static_cast<const char*>(plain.data_ptr()), static_cast<size_t>(plain.numel())};
}

/// Named tensors as bytes: the length of a list in JSON, the list, the values.
Tensor in_one_piece(const NamedTensors& tensors) {
  io::Json list = io::Json::array();
  std::vector<Tensor> values;
  int64_t bytes = 0;
  for (const auto& item : tensors) {
    values.push_back(item.value().detach().cpu().contiguous());
    list.push_back(
        {item.key(), static_cast<int>(item.value().scalar_type()), item.value().sizes().vec()});
    bytes += static_cast<int64_t>(values.back().nbytes());
  }
  const std::string text = io::json_text(list, -1);
  const auto length = static_cast<int64_t>(text.size());
  const Tensor piece =
      torch::empty({static_cast<int64_t>(sizeof length) + length + bytes}, torch::kUInt8);
  auto* next = static_cast<char*>(piece.data_ptr());
  const auto put = [&next](const void* from, size_t count) {
    if (count > 0) std::memcpy(next, from, count);
    next += count;
  };
  put(&length, sizeof length);
  put(text.data(), text.size());
  for (const Tensor& value : values) put(value.data_ptr(), value.nbytes());
  return piece;
}

NamedTensors out_of_piece(const Tensor& piece) {
  const Tensor plain = piece.contiguous();
  const auto* next = static_cast<const char*>(plain.data_ptr());
  const auto take = [&next](void* to, size_t count) {
    if (count > 0) std::memcpy(to, next, count);
    next += count;
  };
  int64_t length = 0;
  take(&length, sizeof length);
  std::string text(static_cast<size_t>(length), ' ');
  take(text.data(), text.size());
  NamedTensors tensors;
  const io::Json list = io::parse_json(text, "a list of tensors of another process");
  for (const io::Json& entry : list) {
    const Tensor value = torch::empty(entry.at(2).get<std::vector<int64_t>>(),
                                      static_cast<c10::ScalarType>(entry.at(1).get<int>()));
    take(value.data_ptr(), value.nbytes());
    tensors.insert(entry.at(0).get<std::string>(), value);
  }
  return tensors;
}

}  // namespace

void ProcessOptions::check_options() const {
  if (timeout.count() <= 0)
    throw Error("Processes: found a timeout of {} ms, expected one above 0", timeout.count());
  if (bucket_bytes < 1)
    throw Error("Processes: found bucket_bytes {}, expected at least 1", bucket_bytes);
}

Processes::Processes() = default;
Processes::~Processes() = default;
Processes::Processes(Processes&&) noexcept = default;
Processes& Processes::operator=(Processes&&) noexcept = default;

Processes::Processes(int64_t rank, int64_t count, const std::string& host, int port,
                     Options options)
    : rank_(rank), count_(count), options_(std::move(options)) {
  options_.check_options();
  if (count < 1 || rank < 0 || rank >= count)
    throw Error("Processes: found process {} of {}, expected one from 0 and below their number",
                rank, count);
  if (port < 1 || port > 65535)
    throw Error("Processes: found port {}, expected one in 1..65535", port);
  if (count > 1)
    group_ = join_processes({rank, count, host, port}, options_.timeout, options_.address);
}

Processes Processes::from_environment(Options options) {
  int64_t rank = 0, count = 1;
  for (const auto& [of_rank, of_count] :
       {std::pair{"RANK", "WORLD_SIZE"}, std::pair{"OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_SIZE"},
        std::pair{"PMI_RANK", "PMI_SIZE"}}) {
    const bool has_rank = set_number(rank, of_rank), has_count = set_number(count, of_count);
    if (has_rank != has_count)
      throw Error(
          "Processes: of the environment variables {} and {} only one is set, expected both",
          of_rank, of_count);
    if (has_rank) break;
  }
  const char* host = std::getenv("MASTER_ADDR");
  int64_t port = 29500;
  set_number(port, "MASTER_PORT");
  if (int64_t seconds = 0; set_number(seconds, "MTL_TIMEOUT"))
    options.timeout = std::chrono::seconds(seconds);
  if (std::getenv("TORCHELASTIC_RUN_ID") != nullptr) ++port;
  return Processes(rank, count, host == nullptr || *host == 0 ? "127.0.0.1" : host,
                   static_cast<int>(port), std::move(options));
}

bool Processes::available() { return can_join_processes(); }

ProcessGroup& Processes::group() const {
  if (group_ == nullptr)
    throw Error(
        "process {} of {}: its connections were ended after an error before this; start all "
        "processes again",
        rank_, count_);
  return *group_;
}

void Processes::abandon() { group_.reset(); }

Batch Processes::share(const Batch& batch) const {
  if (!several()) return batch;
  const int64_t rows = size(batch), first = rows * rank_ / count_,
                length = rows * (rank_ + 1) / count_ - first;
  const auto some = [&](const Tensor& tensor) {
    return tensor.defined() ? tensor.narrow(0, first, length) : tensor;
  };
  const auto all = [&](const NamedTensors& tensors) {
    NamedTensors part;
    for (const auto& item : tensors) part.insert(item.key(), some(item.value()));
    return part;
  };
  return {all(batch.inputs), all(batch.targets), batch.complete, some(batch.sample_weights),
          all(batch.task_sample_weights)};
}

LossJoiner Processes::joiner(const std::vector<Tensor>& parameters,
                             const std::vector<std::string>& names) const {
  return LossJoiner(
      parameters, [this](std::vector<Tensor> tensors) { return start_sum(std::move(tensors)); },
      names, options_.bucket_bytes);
}

TaskLosses Processes::joined(const TaskLosses& own, const std::vector<Tensor>& parameters,
                             const std::vector<std::string>& names) const {
  return several() ? joiner(parameters, names).joined(own) : own;
}

TaskLosses Processes::joined(const TaskLosses& own, const Model& model) const {
  return several() ? joined(own, model.parameters(), result_names(model.tasks()).tasks) : own;
}

std::vector<Tensor> Processes::sum(std::vector<Tensor> tensors) const {
  if (!several()) return tensors;
  StartedSum all = start_sum(std::move(tensors));
  all.wait();
  return std::move(all.sums);
}

StartedSum Processes::start_sum(std::vector<Tensor> tensors) const {
  if (!several()) return {std::move(tensors), [] {}};
  const torch::NoGradGuard no_grad;
  for (Tensor& tensor : tensors)  // an embedding's gradient
    if (tensor.is_sparse()) tensor = tensor.to_dense();
  StartedSum all;
  std::vector<Piece> pieces;
  for (auto& some : by_type(tensors)) {
    Piece piece;
    piece.flat = packed(tensors, some);
    piece.wait = group().start_sum(piece.flat);
    // Of a device: what the sum is copied to.
    piece.there = piece.flat.device() == tensors[some.front()].device()
                      ? piece.flat
                      : torch::empty_like(piece.flat, tensors[some.front()].device());
    int64_t at = 0;
    for (const size_t t : some) {
      const int64_t count = tensors[t].numel();
      tensors[t] = piece.there.narrow(0, at, count).view(tensors[t].sizes());
      at += count;
    }
    pieces.push_back(std::move(piece));
  }
  all.sums = std::move(tensors);
  all.wait = [pieces = std::move(pieces)] {
    const torch::NoGradGuard no_graph;
    for (const Piece& piece : pieces) {
      piece.wait();
      if (!piece.there.is_same(piece.flat)) piece.there.copy_(piece.flat);
    }
  };
  return all;
}

void Processes::average(const std::vector<Tensor>& tensors) const {
  if (!several()) return;
  const torch::NoGradGuard no_grad;
  std::vector<Tensor> some;
  for (const Tensor& tensor : tensors)
    if (tensor.defined() && tensor.is_floating_point()) some.push_back(tensor);
  std::vector<Tensor> sums = sum(some);
  for (size_t t = 0; t < some.size(); ++t)
    some[t].variable_data().copy_(sums[t] / static_cast<double>(count_));
}

void Processes::broadcast(const std::vector<Tensor>& tensors) const {
  if (!several()) return;
  const torch::NoGradGuard no_grad;
  for (const auto& some : by_type(tensors)) {
    const Tensor flat = packed(tensors, some);
    group().broadcast(flat);
    int64_t at = 0;
    for (const size_t t : some) {
      const int64_t count = tensors[t].numel();
      tensors[t].variable_data().copy_(flat.narrow(0, at, count).view(tensors[t].sizes()));
      at += count;
    }
  }
}

std::vector<Tensor> Processes::gather_bytes(const Tensor& bytes) const {
  const Tensor counts = torch::cat(group().gather(torch::tensor({bytes.size(0)}, torch::kLong)));
  const auto longest = counts.max().item<int64_t>();
  if (longest == 0) return std::vector<Tensor>(static_cast<size_t>(count_), bytes);  // Gloo fails
  const Tensor padded = torch::zeros({longest}, torch::kUInt8);
  padded.narrow(0, 0, bytes.size(0)).copy_(bytes);
  std::vector<Tensor> all = group().gather(padded);
  for (size_t p = 0; p < all.size(); ++p)
    all[p] = all[p].narrow(0, 0, counts[static_cast<int64_t>(p)].item<int64_t>());
  return all;
}

std::vector<std::string> Processes::gather_texts(const std::string& text) const {
  if (!several()) return {text};
  std::vector<std::string> texts;
  for (const Tensor& bytes : gather_bytes(as_bytes(text))) texts.push_back(as_text(bytes));
  return texts;
}

NamedTensors Processes::broadcast(const NamedTensors& tensors) const {
  if (!several()) return tensors;
  Tensor bytes = is_first() ? in_one_piece(tensors) : Tensor();
  const Tensor length = torch::tensor({is_first() ? bytes.size(0) : int64_t{0}}, torch::kLong);
  group().broadcast(length);
  if (!is_first()) bytes = torch::empty({length.item<int64_t>()}, torch::kUInt8);
  group().broadcast(bytes);
  return out_of_piece(bytes);
}

std::vector<NamedTensors> Processes::gather(const NamedTensors& tensors) const {
  if (!several()) return {tensors};
  std::vector<NamedTensors> all;
  for (const Tensor& bytes : gather_bytes(in_one_piece(tensors)))
    all.push_back(out_of_piece(bytes));
  return all;
}

}  // namespace mtl
