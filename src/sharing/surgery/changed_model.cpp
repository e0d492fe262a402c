#include "mtl/sharing/surgery/changed_model.hpp"

#include <string>
#include <typeinfo>
#include <utility>
#include <vector>

#include "mtl/core/error.hpp"
#include "mtl/sharing/branched.hpp"
#include "mtl/sharing/cross_stitch.hpp"
#include "mtl/sharing/derived_tasks.hpp"
#include "mtl/sharing/dselect_k.hpp"
#include "mtl/sharing/film.hpp"
#include "mtl/sharing/hard_sharing.hpp"
#include "mtl/sharing/joined_inputs.hpp"
#include "mtl/sharing/learned_branching.hpp"
#include "mtl/sharing/low_rank_updates.hpp"
#include "mtl/sharing/mixture_of_experts.hpp"
#include "mtl/sharing/multi_task_attention.hpp"
#include "mtl/sharing/progressive_layered_extraction.hpp"
#include "mtl/sharing/sequence_ends.hpp"
#include "mtl/sharing/sluice.hpp"
#include "mtl/sharing/soft_sharing.hpp"
#include "mtl/sharing/task_adapters.hpp"

namespace mtl {
namespace {

using Made = std::shared_ptr<Model>;
using Lists = std::vector<std::vector<Encoder>>;

// Each way of sharing: the same way with the tasks and parts of a change. Its gates and the like
// are filled by name.

Made remade(const HardSharingImpl& model, TaskChange& change) {
  change.require_no_parts("HardSharing");
  return std::make_shared<HardSharingImpl>(change.copy(model.encoder()), change.tasks(),
                                           model.input());
}

/// A branch in which no task is left goes.
std::vector<BranchedImpl::Branch> branches_left(const std::vector<BranchedImpl::Branch>& branches,
                                                TaskChange& change) {
  std::vector<BranchedImpl::Branch> left;
  for (const auto& branch : branches) {
    BranchedImpl::Branch now;
    for (const std::string& task : branch.tasks) {
      if (task != change.dropped()) now.tasks.push_back(task);
      if (change.added() && task == change.parts().like) now.tasks.push_back(change.added()->name);
    }
    now.branches = branches_left(branch.branches, change);
    if (now.tasks.empty() && now.branches.empty()) continue;
    now.encoder = change.copy(branch.encoder);
    left.push_back(std::move(now));
  }
  return left;
}

Made remade(const BranchedImpl& model, TaskChange& change) {
  auto branches = branches_left(model.branches(), change);
  if (change.added() && change.parts().like.empty()) {
    if (change.parts().parts.size() != 1)
      throw Error(
          "add_task: where does task \"{}\" part in Branched? Name in .like a task whose branch it "
          "reads, or give the encoder of a branch of its own at the stem as .parts; found {} parts",
          change.added()->name, change.parts().parts.size());
    branches.push_back({change.take(change.parts().parts[0]), {change.added()->name}, {}});
  }
  return std::make_shared<BranchedImpl>(change.copy(model.stem()), std::move(branches),
                                        change.tasks(), model.input());
}

Made remade(const SoftSharingImpl& model, TaskChange& change) {
  Lists before;
  for (const Encoder& encoder : model.encoders()) before.push_back({encoder});
  std::vector<Encoder> encoders;
  for (auto& of_task : change.by_task(before, 1, "SoftSharing", "an encoder"))
    encoders.push_back(std::move(of_task[0]));
  return std::make_shared<SoftSharingImpl>(std::move(encoders), change.tasks(), model.options(),
                                           model.input());
}

[[noreturn]] void refuse(const TaskChange& change, std::string_view way, std::string_view why) {
  if (change.dropped())
    throw Error(
        "drop_task: {} {}, so that the others would not predict what they did without \"{}\"; "
        "leave it out of what you report, or train a model without it",
        way, why, *change.dropped());
  throw Error(
      "add_task: {} {}, so that the others would not predict what they did with \"{}\" beside "
      "them; train a model with it, from the weights of this one (warm_start)",
      way, why, change.added()->name);
}

Made remade(const CrossStitchImpl&, TaskChange& change) {
  refuse(change, "CrossStitch", "mixes the encoders of all tasks after each stage");
}

Made remade(const SluiceImpl&, TaskChange& change) {
  refuse(change, "Sluice", "mixes the encoders of all tasks after each stage");
}

Made remade(const MixtureOfExpertsImpl& model, TaskChange& change) {
  change.require_no_parts("MixtureOfExperts");
  return std::make_shared<MixtureOfExpertsImpl>(change.copies(model.experts()), change.tasks(),
                                                model.options(), model.input());
}

Made remade(const DSelectKImpl& model, TaskChange& change) {
  change.require_no_parts("DSelectK");
  return std::make_shared<DSelectKImpl>(change.copies(model.experts()), change.tasks(),
                                        model.options(), model.input());
}

Made remade(const ProgressiveLayeredExtractionImpl& model, TaskChange& change) {
  if (model.levels().size() > 1)
    refuse(change, "ProgressiveLayeredExtraction of several levels",
           "feeds its shared experts from those of all tasks");
  const auto& level = model.levels()[0];
  ProgressiveLayeredExtractionImpl::Level now{
      change.by_task(level.by_task, std::nullopt, "ProgressiveLayeredExtraction",
                     "experts of its own"),
      change.copies(level.shared), level.gate_input_size};
  std::vector<ProgressiveLayeredExtractionImpl::Level> levels{std::move(now)};
  return std::make_shared<ProgressiveLayeredExtractionImpl>(std::move(levels), change.tasks(),
                                                            model.input());
}

Made remade(const MultiTaskAttentionImpl& model, TaskChange& change) {
  const auto& before = model.stages();
  Lists masks(static_cast<size_t>(model.tasks().size()));
  for (const auto& stage : before)
    for (size_t t = 0; t < masks.size(); ++t) masks[t].push_back(stage.masks[t]);
  const Lists after = change.by_task(masks, before.size(), "MultiTaskAttention", "a mask a stage");
  std::vector<MultiTaskAttentionImpl::Stage> stages;
  for (size_t k = 0; k < before.size(); ++k) {
    auto& stage = stages.emplace_back();
    stage.first = change.copy(before[k].first);
    stage.second = change.copy(before[k].second);
    stage.carry = change.copy(before[k].carry);
    for (const auto& of_task : after) stage.masks.push_back(of_task[k]);
  }
  return std::make_shared<MultiTaskAttentionImpl>(std::move(stages), change.tasks(), model.input());
}

Made remade(const LearnedBranchingImpl& model, TaskChange& change) {
  change.require_no_parts("LearnedBranching");
  std::vector<Stages> levels;
  for (const Stages& level : model.levels()) levels.push_back(change.copies(level));
  return std::make_shared<LearnedBranchingImpl>(std::move(levels), change.tasks(), model.options(),
                                                model.input());
}

Made remade(const FilmImpl& model, TaskChange& change) {
  change.require_no_parts("Film");
  std::vector<FilmImpl::Stage> stages;
  for (const auto& stage : model.stages())
    stages.push_back({change.copy(stage.encoder), stage.channels});
  return std::make_shared<FilmImpl>(std::move(stages), change.tasks(), model.input());
}

Made remade(const TaskAdaptersImpl& model, TaskChange& change) {
  change.require_no_parts("TaskAdapters");
  std::vector<TaskAdaptersImpl::Stage> stages;
  for (const auto& stage : model.stages())
    stages.push_back({change.copy(stage.encoder), stage.channels});
  return std::make_shared<TaskAdaptersImpl>(std::move(stages), change.tasks(), model.options(),
                                            model.input());
}

Made remade(const LowRankUpdatesImpl& model, TaskChange& change) {
  change.require_no_parts("LowRankUpdates");
  std::vector<LowRankUpdatesImpl::Layer> layers;
  for (const auto& layer : model.layers())
    layers.push_back({torch::nn::Linear(std::dynamic_pointer_cast<torch::nn::LinearImpl>(
                          change.copy(Encoder(layer.linear)).module())),
                      layer.by_task});
  return std::make_shared<LowRankUpdatesImpl>(std::move(layers), change.tasks(), model.options(),
                                              model.input());
}

Made remade(const DerivedTasksImpl& model, TaskChange& change) {
  std::vector<DerivedTask> left;
  for (const DerivedTask& derived : model.derived()) {
    if (derived.task.name == change.dropped()) continue;
    for (const std::string& from : derived.from)
      if (from == change.dropped())
        throw Error("drop_task: task \"{}\" is derived from \"{}\"; drop that first",
                    derived.task.name, from);
    left.push_back(derived);
  }
  if (left.empty())
    throw Error(
        "drop_task: \"{}\" is the only derived task; DerivedTasks::model() is the model without it",
        *change.dropped());
  // Where a derived task goes, the model inside is as it was.
  const bool of_inner = left.size() == model.derived().size();
  return std::make_shared<DerivedTasksImpl>(
      of_inner ? change.inside(*model.model()) : change.copy(*model.model()), std::move(left));
}

Made remade(const JoinedInputsImpl& model, TaskChange& change) {
  std::vector<JoinedInputsImpl::Input> inputs;
  for (const auto& input : model.inputs())
    inputs.push_back({input.name, change.copy(input.encoder)});
  return std::make_shared<JoinedInputsImpl>(std::move(inputs), change.inside(*model.model()));
}

Made remade(const SequenceEndsImpl& model, TaskChange& change) {
  std::vector<SequenceEnd> ends = model.ends();
  std::erase_if(ends, [&](const SequenceEnd& end) { return end.task == change.dropped(); });
  if (ends.empty())
    throw Error(
        "drop_task: \"{}\" is the only task whose sequences end; drop it from "
        "SequenceEnds::model(), which needs no ends then",
        *change.dropped());
  return std::make_shared<SequenceEndsImpl>(change.inside(*model.model()), std::move(ends));
}

template <class... Ways>
struct WaysOfSharing {};

template <class... Ways>
Made remade_as_one_of(const Model& model, TaskChange& change, WaysOfSharing<Ways...>) {
  Made made;
  // Exactly: a class that derives from one of them may predict otherwise.
  const auto try_as = [&]<class Way>(const Way* as) {
    if (as == nullptr || typeid(model) != typeid(Way)) return false;
    made = remade(*as, change);
    return true;
  };
  (void)(try_as(dynamic_cast<const Ways*>(&model)) || ...);
  return made;
}

/// A new way of sharing adds its name here.
using AllWays =
    WaysOfSharing<HardSharingImpl, BranchedImpl, SoftSharingImpl, CrossStitchImpl, SluiceImpl,
                  MixtureOfExpertsImpl, DSelectKImpl, ProgressiveLayeredExtractionImpl,
                  MultiTaskAttentionImpl, LearnedBranchingImpl, FilmImpl, TaskAdaptersImpl,
                  LowRankUpdatesImpl, DerivedTasksImpl, JoinedInputsImpl, SequenceEndsImpl>;

}  // namespace

Changed<std::shared_ptr<Model>> changed_model(const Model& model, TaskChange change) {
  Made made;
  if (const auto* own = dynamic_cast<const ChangesTasks*>(&model))
    made = own->with_tasks(change);
  else
    made = remade_as_one_of(model, change, AllWays{});
  if (made == nullptr)
    throw Error(
        "the tasks of model {} cannot be changed: let it derive from mtl::ChangesTasks and say in "
        "with_tasks() how it is made again",
        model.name());
  return change.finish(std::move(made));
}

}  // namespace mtl
