#include "checkpoints.hpp"

#include <c10/util/Exception.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <nlohmann/json.hpp>
#include <string_view>
#include <system_error>
#include <utility>

#include "mtl/core/error.hpp"
#include "mtl/core/random.hpp"
#include "mtl/io/atomic_file.hpp"
#include "mtl/io/digest.hpp"
#include "mtl/io/file.hpp"
#include "mtl/io/json.hpp"
#include "mtl/io/safetensors.hpp"
#include "mtl/nn/weights.hpp"
#include "mtl/train/callback.hpp"
#include "mtl/train/optimizer_state.hpp"
#include "run_identity.hpp"

namespace mtl {
namespace fs = std::filesystem;
namespace {

constexpr int format_version = 2;
constexpr const char* list_name = "checkpoint.json";
constexpr const char* marker = "mtl_checkpoint";  // a key of the files' metadata

// Names ------------------------------------------------------------------------------------------

std::string tensors_name(int64_t epoch) { return fmt::format("epoch-{:06}.safetensors", epoch); }

bool is_tensors_name(const std::string& name) {
  const std::string_view begin = "epoch-", end = ".safetensors";
  if (!name.starts_with(begin) || !name.ends_with(end)) return false;
  const std::string digits = name.substr(begin.size(), name.size() - begin.size() - end.size());
  return digits.size() >= 6 && digits.find_first_not_of("0123456789") == std::string::npos;
}

bool is_there(const fs::path& path) {
  std::error_code error;
  const bool found = fs::exists(path, error);
  if (error) throw Error("cannot look at \"{}\": {}", path.string(), error.message());
  return found;
}

void remove_file(const fs::path& path) {
  std::error_code error;
  fs::remove(path, error);
  if (error) throw Error("cannot remove \"{}\": {}", path.string(), error.message());
}

// Whether a file of such a name was written here: the folder may hold others' as well.
bool is_ours(const fs::path& path) {
  try {
    io::Metadata metadata;
    io::read_safetensors(path, &metadata);
    return metadata.contains(marker);
  } catch (const Error&) {
    return false;  // no safetensors file, or a damaged one: nothing says that it is ours
  }
}

// Tensors ----------------------------------------------------------------------------------------

void put(NamedTensors& all, const std::string& prefix, const NamedTensors& part) {
  for (const auto& item : part) all.insert(prefix + item.key(), item.value());
}

NamedTensors take(const NamedTensors& all, const std::string& prefix) {
  NamedTensors part;
  for (const auto& item : all)
    if (item.key().starts_with(prefix)) part.insert(item.key().substr(prefix.size()), item.value());
  return part;
}

std::string callback_prefix(size_t index) { return fmt::format("callbacks.{}.", index); }

/// [epochs, columns]: epoch, learning rate, then total and losses of the training part, and total,
/// losses and metrics of the validation part where there is one.
Tensor history_tensor(const History& history) {
  std::vector<double> numbers;
  for (const EpochRecord& record : history.epochs) {
    numbers.push_back(static_cast<double>(record.epoch));
    numbers.push_back(record.learning_rate);
    for (const SplitRecord* split : {&record.train, &record.valid}) {
      if (split->losses.empty()) continue;
      numbers.push_back(split->total);
      numbers.insert(numbers.end(), split->losses.begin(), split->losses.end());
      for (const auto& metrics : split->metrics)
        numbers.insert(numbers.end(), metrics.begin(), metrics.end());
    }
  }
  const auto epochs = static_cast<int64_t>(history.epochs.size());
  return torch::tensor(numbers, torch::kDouble).view({epochs, -1});
}

History history_from(const ResultNames& names, const Tensor& tensor) {
  History history{names, {}};
  const auto tasks = static_cast<int64_t>(names.tasks.size());
  int64_t metrics = 0;
  for (const auto& of_task : names.metrics) metrics += static_cast<int64_t>(of_task.size());
  const int64_t columns = 3 + tasks, with_validation = columns + 1 + tasks + metrics;
  if (tensor.dim() != 2 || tensor.scalar_type() != torch::kDouble ||
      (tensor.size(1) != columns && tensor.size(1) != with_validation))
    throw Error("its history has shape {}, expected [epochs, {}] or [epochs, {}]",
                shape_text(tensor), columns, with_validation);
  const Tensor rows = tensor.contiguous();
  const double* next = rows.data_ptr<double>();
  for (int64_t e = 0; e < rows.size(0); ++e) {
    EpochRecord record;
    record.epoch = static_cast<int64_t>(*next++);
    record.learning_rate = *next++;
    const auto read = [&](SplitRecord& split) {
      split.total = *next++;
      split.losses = std::vector<double>(next, next + tasks);
      next += tasks;
    };
    read(record.train);
    if (rows.size(1) == with_validation) {
      read(record.valid);
      for (const auto& of_task : names.metrics) {
        record.valid.metrics.push_back(std::vector<double>(next, next + of_task.size()));
        next += of_task.size();
      }
    }
    history.add(std::move(record));
  }
  return history;
}

// Everything that can be changed
// -------------------------------------------------------------------

NamedTensors everything(const TrainState& state) {
  NamedTensors all;
  put(all, "model.", nn::weights(state.model));
  put(all, "optimizer.", optimizer_state(state.optimizer));
  put(all, "combiner.", state.combiner.state_dict());
  const auto callbacks = train_detail::with_memory(state);
  for (size_t c = 0; c < callbacks.size(); ++c)
    if (callbacks[c]->state_dict) put(all, callback_prefix(c), callbacks[c]->state_dict());
  all.insert("generator", default_generator_state());
  return all;
}

// Runs `act`; whatever it throws becomes an Error that says where.
template <class Act>
void named(const std::string& where, Act act) {
  try {
    act();
  } catch (const Error& error) {
    throw Error("{}: {}", where, error.what());
  } catch (const c10::Error& error) {
    throw Error("{}: {}", where, error.what_without_backtrace());
  } catch (const std::exception& error) {
    throw Error("{}: {}", where, error.what());
  }
}

void set_everything(TrainState& state, const NamedTensors& all) {
  named("model", [&] { nn::load_weights(state.model, take(all, "model.")); });
  named("optimizer", [&] { load_optimizer_state(state.optimizer, take(all, "optimizer.")); });
  named("combiner", [&] { state.combiner.load_state_dict(take(all, "combiner.")); });
  const auto callbacks = train_detail::with_memory(state);
  for (size_t c = 0; c < callbacks.size(); ++c)
    if (callbacks[c]->load_state_dict)
      named("callback " + callbacks[c]->name,
            [&] { callbacks[c]->load_state_dict(take(all, callback_prefix(c))); });
  named("generator", [&] {
    torch::Generator trial = make_generator(0);
    set_generator_state(trial, all["generator"]);  // where it is none, the default one stays whole
    set_default_generator_state(all["generator"]);
  });
}

}  // namespace

Checkpointing checkpointing_of(Checkpointing found, const std::vector<Callback>& callbacks) {
  for (const Callback& callback : callbacks) {
    if (!callback.checkpointing) continue;
    if (!found.directory.empty())
      throw Error("fit: found two Checkpointing, expected one: in TrainerOptions or as a callback");
    found = *callback.checkpointing;
    if (found.directory.empty())
      throw Error("Checkpointing: found no directory, expected one to write to");
  }
  return found;
}

Checkpoints::Checkpoints(Checkpointing options) : options_(std::move(options)) {
  options_.check_options();
  io::make_folder(options_.directory);
  lock_ = std::make_unique<io::FileLock>(options_.directory / "checkpoint.lock");
  io::remove_stale_temporaries(options_.directory);
}

void Checkpoints::read_list() {
  const fs::path path = options_.directory / list_name;
  names_.clear();
  named("checkpoint \"" + path.string() + "\"", [&] {
    const io::Json json = io::read_json(path);
    if (!json.is_object() || !json.contains("format"))
      throw Error("it is no checkpoint of this library; take another directory");
    if (json.at("format") != format_version)
      throw Error("found format {}, this version reads {}; begin anew in another directory",
                  json.at("format").dump(), format_version);
    names_ = json.at("files").get<std::vector<std::string>>();
    io::Digest digest;
    for (const auto& name : names_) digest.update(name + "\n");
    const auto foreign = std::find_if_not(names_.begin(), names_.end(), is_tensors_name);
    if (names_.empty() || foreign != names_.end() || json.at("digest") != digest.text())
      throw Error("it is damaged; restore it, or delete it and begin anew");
  });
}

void Checkpoints::write_list() const {
  io::Digest digest;
  for (const auto& name : names_) digest.update(name + "\n");
  io::write_json(options_.directory / list_name,
                 {{"format", format_version}, {"files", names_}, {"digest", digest.text()}});
}

bool Checkpoints::resume(TrainState& state) {
  if (!is_there(options_.directory / list_name)) return false;
  read_list();
  while (names_.size() > 1 && !is_there(options_.directory / names_.back())) names_.pop_back();
  const fs::path path = options_.directory / names_.back();
  named("checkpoint", [&] {
    io::Metadata metadata;
    const NamedTensors all = io::read_safetensors(path, &metadata);
    named("\"" + path.string() + "\"", [&] {
      if (!metadata.contains(marker)) throw Error("it is no checkpoint of this library");
      const io::Json json = io::parse_json(metadata[marker], "its description");
      train_detail::compare(json.at("made_of"), train_detail::made_of(state));
      if (all.find("history") == nullptr || all.find("generator") == nullptr)
        throw Error("its history or generator is missing");
      History history = history_from(state.history, all["history"]);
      const auto count = [&json](const char* key) { return io::json_integer(json.at(key), key); };
      const int64_t step = count("step"), faulty_batches = count("faulty_batches"),
                    faulty_rows = count("faulty_rows"), unlabelled = count("unlabelled_batches");
      std::string first_fault = json.at("first_fault").get<std::string>();

      const NamedTensors before = nn::cloned(everything(state));
      try {
        set_everything(state, all);
      } catch (...) {
        set_everything(state, before);
        throw;
      }
      state.history = std::move(history);
      state.epoch = static_cast<int64_t>(state.history.epochs.size());
      state.step = step;
      state.faulty_batches = faulty_batches;
      state.faulty_rows = faulty_rows;
      state.unlabelled_batches = unlabelled;
      state.first_fault = std::move(first_fault);
      state.resumed = true;
    });
  });
  remove_strays();
  return true;
}

void Checkpoints::begin_anew(const TrainState& state) {
  optimizer_state(state.optimizer);  // one that cannot be saved is an Error now, not after an epoch
  const fs::path list = options_.directory / list_name;
  if (is_there(list)) {
    read_list();
    remove_file(list);  // first: without it the others count for nothing
    for (const auto& name : std::exchange(names_, {})) remove_file(options_.directory / name);
  }
  remove_strays();
}

void Checkpoints::remove_strays() const {
  io::remove_stale_temporaries(options_.directory);
  std::error_code error;
  fs::directory_iterator entries(options_.directory, error);
  if (error) throw Error("cannot list \"{}\": {}", options_.directory.string(), error.message());
  for (const auto& entry : entries) {
    const std::string name = entry.path().filename().string();
    if (is_tensors_name(name) && std::find(names_.begin(), names_.end(), name) == names_.end() &&
        is_ours(entry.path()))
      remove_file(entry.path());
  }
}

void Checkpoints::save(const TrainState& state) {
  const std::string name = tensors_name(state.epoch);
  const fs::path path = options_.directory / name;
  const auto listed = std::find(names_.begin(), names_.end(), name);
  if (listed != names_.end())
    names_.erase(listed);
  else if (is_there(path) && !is_ours(path))
    throw Error("checkpoint \"{}\": the file is there and not ours; take another directory",
                path.string());
  NamedTensors all = everything(state);
  all.insert("history", history_tensor(state.history));
  const io::Json json = {{"step", state.step},
                         {"faulty_batches", state.faulty_batches},
                         {"faulty_rows", state.faulty_rows},
                         {"unlabelled_batches", state.unlabelled_batches},
                         {"first_fault", state.first_fault},
                         {"made_of", train_detail::made_of(state)}};
  io::write_safetensors(path, all, {{marker, io::json_text(json, -1)}});

  names_.push_back(name);
  std::vector<std::string> dropped;
  while (static_cast<int64_t>(names_.size()) > options_.keep) {
    dropped.push_back(names_.front());
    names_.erase(names_.begin());
  }
  write_list();
  for (const auto& old : dropped) remove_file(options_.directory / old);  // only now of no use
}

}  // namespace mtl
