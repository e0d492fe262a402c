#include "joint_checkpoints.hpp"

#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>

#include "joint_run.hpp"
#include "mtl/io/json.hpp"

namespace mtl {
namespace {

constexpr const char* said_name = "said of the checkpoint";

Tensor text_tensor(const std::string& text) {
  const Tensor bytes = torch::empty({static_cast<int64_t>(text.size())}, torch::kUInt8);
  std::memcpy(bytes.data_ptr(), text.data(), text.size());
  return bytes;
}

/// What process 0 found, for all.
std::optional<Checkpoints::Content> told(const Processes& processes,
                                         std::optional<Checkpoints::Content> found) {
  NamedTensors message;
  if (found) {
    message = found->tensors;
    const io::Json said = {{"where", found->where}, {"description", found->description}};
    message.insert(said_name, text_tensor(io::json_text(said, -1)));
  }
  message = processes.broadcast(message);
  if (processes.is_first() || message.is_empty()) return found;
  Checkpoints::Content content;
  for (const auto& item : message) {
    if (item.key() != said_name) {
      content.tensors.insert(item.key(), item.value());
      continue;
    }
    const Tensor& bytes = item.value();
    const io::Json said =
        io::parse_json({static_cast<const char*>(bytes.data_ptr()), bytes.nbytes()});
    content.where = said.at("where").get<std::string>();
    content.description = said.at("description");
  }
  return content;
}

}  // namespace

JointCheckpoints::JointCheckpoints(const Checkpointing& options, const TrainState& state,
                                   const JointStep& joint)
    : joint_(joint), within_epochs_(options.within_epochs()) {
  if (state.writes) own_.emplace(options, state);
}

void JointCheckpoints::resume(TrainState& state, std::optional<WithinEpoch>& within) {
  std::optional<Checkpoints::Content> found;
  if (own_) found = own_->newest();
  if (joint_.several()) found = told(*joint_.processes(), std::move(found));
  if (!found) return;
  Checkpoints::take_over(state, *found, within);
  if (joint_.several()) take_generator(*joint_.processes(), found->tensors);
  if (own_) own_->remove_strays();
}

void JointCheckpoints::begin_anew(const TrainState& state) {
  if (own_) own_->begin_anew(state);
}

bool JointCheckpoints::due(const TrainState& state) const {
  if (!within_epochs_) return false;
  bool due = own_ && own_->due(state);
  if (!joint_.several()) return due;
  const Tensor told = torch::tensor({due ? 1.0 : 0.0}, torch::kDouble);
  joint_.processes()->broadcast(std::vector<Tensor>{told});
  return told.item<double>() > 0;
}

void JointCheckpoints::save(const TrainState& state, const EpochPlace* place) {
  Tensor generators;
  if (joint_.several()) {
    joint_.processes()->average(state.model.buffers());
    generators = gathered_generators(*joint_.processes());
  }
  if (own_) own_->save(state, place, generators);
}

}  // namespace mtl
