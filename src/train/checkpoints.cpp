#include "checkpoints.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string_view>
#include <system_error>
#include <utility>

#include "history_tensor.hpp"
#include "mtl/core/error.hpp"
#include "mtl/io/atomic_file.hpp"
#include "mtl/io/digest.hpp"
#include "mtl/io/file.hpp"
#include "mtl/io/json.hpp"
#include "mtl/io/safetensors.hpp"
#include "mtl/nn/weights.hpp"
#include "mtl/train/callback.hpp"
#include "run_identity.hpp"
#include "run_memory.hpp"

namespace mtl {
namespace fs = std::filesystem;
namespace {

constexpr int format_version = 3;
constexpr const char* list_name = "checkpoint.json";
constexpr const char* group_rates = "history.learning_rates";
constexpr const char* marker = "mtl_checkpoint";  // a key of the files' metadata

// Names ------------------------------------------------------------------------------------------

constexpr std::string_view epoch_begin = "epoch-", step_begin = "step-", name_end = ".safetensors";

std::string epoch_name(int64_t epoch) {
  return fmt::format("{}{:06}{}", epoch_begin, epoch, name_end);
}
std::string step_name(int64_t step) { return fmt::format("{}{:09}{}", step_begin, step, name_end); }

bool is_tensors_name(const std::string& name) {
  for (const std::string_view begin : {epoch_begin, step_begin}) {
    if (!name.starts_with(begin) || !name.ends_with(name_end)) continue;
    const std::string digits =
        name.substr(begin.size(), name.size() - begin.size() - name_end.size());
    return digits.size() >= 6 && digits.find_first_not_of("0123456789") == std::string::npos;
  }
  return false;
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

/// The same for the same run, another for one that began with other weights.
std::string run_text(const TrainState& state) {
  io::Digest digest;
  digest.update(io::json_text(train_detail::made_of(state), -1));
  for (const auto& item : run_memory(state)) {
    const Tensor plain = item.value().cpu().contiguous();
    digest.update(item.key());
    digest.update({static_cast<const char*>(plain.data_ptr()), plain.nbytes()});
  }
  return digest.text();
}

// Of steps, batches, rows: a file may hold any number.
int64_t count(const io::Json& description, const char* key, int64_t least = 0) {
  constexpr int64_t most = int64_t{1} << 53;
  const int64_t found = io::json_integer(description.at(key), key);
  if (found < least || found > most)
    throw Error("{} is {}, expected {} to {}", key, found, least, most);
  return found;
}

void take_part_over(TrainState& state, const Checkpoints::Content& content,
                    std::optional<WithinEpoch>& within) {
  const io::Json& json = content.description;
  const NamedTensors& all = content.tensors;
  train_detail::compare(json.at("made_of"), train_detail::made_of(state));
  History history = history_from(state.history, all["history"]);
  if (const Tensor* rates = all.find(group_rates)) set_rates(history, *rates);
  LossScale scale = state.loss_scale;
  if (json.contains("loss_scale")) {
    const io::Json& found = json.at("loss_scale");
    scale.value = found.at("value").get<double>();
    scale.steps_since = count(found, "steps_since");
    scale.overflows = count(found, "overflows");
    if (!(scale.value > 0 && std::isfinite(scale.value)))
      throw Error("loss_scale is {}, expected a finite number above 0", scale.value);
  }
  const int64_t step = count(json, "step"), faulty_batches = count(json, "faulty_batches"),
                faulty_rows = count(json, "faulty_rows"),
                unlabelled = count(json, "unlabelled_batches");
  std::string first_fault = json.at("first_fault").get<std::string>();
  std::vector<FrozenTask> frozen;
  for (const io::Json& task : json.at("frozen"))
    frozen.push_back({task.at("task").get<std::string>(), count(task, "epoch")});
  int64_t batch = 0;
  std::optional<WithinEpoch> found;
  if (json.contains("within_epoch")) {
    const io::Json& epoch = json.at("within_epoch");
    batch = count(epoch, "batch", 1);
    found.emplace(WithinEpoch{EpochPlace(state.model.tasks().size()), NamedTensors()});
    EpochPlace& place = found->place;
    place.steps_before = count(epoch, "steps_before");
    place.faulty_before = count(epoch, "faulty_before");
    place.made = count(epoch, "made");
    if (epoch.contains("overflows_before"))
      place.overflows_before = count(epoch, "overflows_before");
    const Tensor rates = all["epoch.learning_rate"].to(torch::kDouble).contiguous();
    if (rates.numel() < 1) throw Error("its epoch.learning_rate is empty, expected one by group");
    place.learning_rates.assign(rates.data_ptr<double>(), rates.data_ptr<double>() + rates.numel());
    place.meter.load(all["epoch.losses"]);
    place.generator = all["epoch.generator"];
  }

  set_run_memory(state, all);
  if (found) found->memory = all;
  within = std::move(found);
  state.history = std::move(history);
  state.loss_scale = scale;
  state.epoch = static_cast<int64_t>(state.history.epochs.size()) + (within ? 1 : 0);
  state.batch = batch;
  state.step = step;
  state.faulty_batches = faulty_batches;
  state.faulty_rows = faulty_rows;
  state.unlabelled_batches = unlabelled;
  state.first_fault = std::move(first_fault);
  state.frozen = std::move(frozen);
  state.resumed = true;
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

Checkpoints::Checkpoints(Checkpointing options, const TrainState& state)
    : options_(std::move(options)) {
  options_.check_options();
  if (options_.keep_best) options_.watch.check(state, "Checkpointing");
  io::check_safetensors(options_.directory, nn::weights(state.model));
  io::make_folder(options_.directory);
  lock_ = std::make_unique<io::FileLock>(options_.directory / "checkpoint.lock");
  io::remove_stale_temporaries(options_.directory);
}

std::string Checkpoints::list_digest() const {
  io::Digest digest;
  digest.update(run_ + "\n");
  for (const auto& name : names_) digest.update(name + "\n");
  return digest.text();
}

void Checkpoints::read_list() {
  const fs::path path = options_.directory / list_name;
  names_.clear();
  named("checkpoint \"" + path.string() + "\"", [&] {
    const io::Json json = io::read_json(io::file_within(options_.directory, list_name));
    if (!json.is_object() || !json.contains("format"))
      throw Error("it is no checkpoint of this library; take another directory");
    if (json.at("format") != format_version)
      throw Error("found format {}, this version reads {}; begin anew in another directory",
                  json.at("format").dump(), format_version);
    names_ = json.at("files").get<std::vector<std::string>>();
    run_ = json.at("run").get<std::string>();
    const auto foreign = std::find_if_not(names_.begin(), names_.end(), is_tensors_name);
    if (names_.empty() || foreign != names_.end() || json.at("digest") != list_digest())
      throw Error("it is damaged; restore it, or delete it and begin anew");
  });
}

void Checkpoints::write_list() const {
  io::write_json(
      options_.directory / list_name,
      {{"format", format_version}, {"run", run_}, {"files", names_}, {"digest", list_digest()}});
}

Checkpoints::Content Checkpoints::read(const std::string& name) const {
  const fs::path path = options_.directory / name;
  io::Metadata metadata;
  Content content;
  named("\"" + path.string() + "\"", [&] { io::file_within(options_.directory, name); });
  content.tensors = io::read_safetensors(path, &metadata);
  named("\"" + path.string() + "\"", [&] {
    if (!metadata.contains(marker)) throw Error("it is no checkpoint of this library");
    content.description = io::parse_json(metadata[marker], "its description");
    const auto own_name = content.description.at("name").get<std::string>();
    if (own_name != name)
      throw Error("it is the checkpoint \"{}\" under another name; give it its own", own_name);
    if (content.description.at("run") != run_)
      throw Error("it is of another run than \"{}\"; put back the file that was there", list_name);
    for (const char* tensor : {"history", "generator"})
      if (content.tensors.find(tensor) == nullptr) throw Error("its {} is missing", tensor);
  });
  return content;
}

std::string Checkpoints::whole_one_before() const {
  for (size_t n = names_.size() - 1; n-- > 0;) {
    try {
      read(names_[n]);
    } catch (const Error&) {
      continue;
    }
    return fmt::format("; the one before it, \"{}\", is whole: delete \"{}\" to go on from there",
                       names_[n], names_.back());
  }
  return "; there is no other: restore it, or begin anew without `resume`";
}

std::optional<Checkpoints::Content> Checkpoints::newest() {
  if (!is_there(options_.directory / list_name)) return std::nullopt;
  read_list();
  while (names_.size() > 1 && !is_there(options_.directory / names_.back())) names_.pop_back();
  try {
    Content content = read(names_.back());
    content.where =
        fmt::format("checkpoint: \"{}\"", (options_.directory / names_.back()).string());
    return content;
  } catch (const Error& error) {
    throw Error("checkpoint: {}{}", error.what(), whole_one_before());
  }
}

void Checkpoints::take_over(TrainState& state, const Content& content,
                            std::optional<WithinEpoch>& within) {
  named(content.where, [&] { take_part_over(state, content, within); });
}

void Checkpoints::begin_anew(const TrainState& state) {
  run_ = run_text(state);  // an optimizer that cannot be saved is an Error now, not after an epoch
  const fs::path list = options_.directory / list_name;
  if (is_there(list)) {
    const std::string run = run_;
    read_list();
    remove_file(list);  // first: without it the others count for nothing
    for (const auto& name : std::exchange(names_, {})) remove_file(options_.directory / name);
    run_ = run;
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

bool Checkpoints::due(const TrainState& state) const {
  if (!options_.within_epochs()) return false;
  if (state.stopped()) return true;
  if (options_.every_steps > 0 && state.step % options_.every_steps == 0) return true;
  const std::chrono::duration<double> age = Clock::now() - written_;
  return options_.every_seconds > 0 && age.count() >= options_.every_seconds;
}

void Checkpoints::save(const TrainState& state, const EpochPlace* place, const Tensor& generators) {
  const std::string name = place == nullptr ? epoch_name(state.epoch) : step_name(state.step);
  const fs::path path = options_.directory / name;
  const auto listed = std::find(names_.begin(), names_.end(), name);
  if (listed != names_.end())
    names_.erase(listed);
  else if (is_there(path) && !is_ours(path))
    throw Error("checkpoint \"{}\": the file is there and not ours; take another directory",
                path.string());
  NamedTensors all = run_memory(state);
  all.insert("history", history_tensor(state.history));
  if (state.history.groups() > 1) all.insert(group_rates, rates_tensor(state.history));
  if (generators.defined()) all.insert(process_generators, generators);
  io::Json json = {{"name", name},
                   {"run", run_},
                   {"step", state.step},
                   {"faulty_batches", state.faulty_batches},
                   {"faulty_rows", state.faulty_rows},
                   {"unlabelled_batches", state.unlabelled_batches},
                   {"first_fault", state.first_fault},
                   {"loss_scale",
                    {{"value", state.loss_scale.value},
                     {"steps_since", state.loss_scale.steps_since},
                     {"overflows", state.loss_scale.overflows}}},
                   {"frozen", io::Json::array()},
                   {"made_of", train_detail::made_of(state)}};
  for (const FrozenTask& task : state.frozen)
    json["frozen"].push_back({{"task", task.name}, {"epoch", task.epoch}});
  if (place != nullptr) {
    json["within_epoch"] = {{"batch", state.batch},
                            {"steps_before", place->steps_before},
                            {"faulty_before", place->faulty_before},
                            {"overflows_before", place->overflows_before},
                            {"made", place->made}};
    all.insert("epoch.learning_rate", torch::tensor(place->learning_rates, torch::kDouble));
    all.insert("epoch.losses", place->meter.saved());
    all.insert("epoch.generator", place->generator);
  }
  io::write_safetensors(path, all, {{marker, io::json_text(json, -1)}});

  names_.push_back(name);
  const std::string best =
      options_.keep_best ? epoch_name(state.history.best_epoch(options_.watch)) : "";
  std::vector<std::string> dropped;
  for (size_t n = 0; n + static_cast<size_t>(options_.keep) < names_.size();)
    if (names_[n] == best) {
      ++n;
    } else {
      dropped.push_back(names_[n]);
      names_.erase(names_.begin() + static_cast<std::ptrdiff_t>(n));
    }
  write_list();
  for (const auto& old : dropped) remove_file(options_.directory / old);  // only now of no use
  written_ = Clock::now();
}

}  // namespace mtl
