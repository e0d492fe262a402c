#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "mtl/deploy/kind.hpp"
#include "mtl/sharing/derived_tasks.hpp"
#include "mtl/sharing/joined_inputs.hpp"
#include "mtl/sharing/sequence_ends.hpp"

// Models around others, whose descriptions stand within theirs.

namespace mtl::deploy_detail {

struct JoinedInputsKind {
  using Module = JoinedInputsImpl;
  static constexpr std::string_view name = "JoinedInputs";
  static constexpr std::string_view python = R"py(
class JoinedInputs(nn.Module):
    """An encoder an input, and a model of what they give side by side."""

    def __init__(self, inputs, model):
        super().__init__()
        self.model, self.inputs = model, Parts({i["name"]: i["encoder"] for i in inputs})

    def forward(self, inputs):
        outputs = [encoder(input_of(inputs, name)) for name, encoder in self.inputs.items()]
        return self.model({"joined": torch.cat(outputs, 1)})
)py";
  struct Input {
    std::string name;
    Encoder encoder;
    void fields(Fields& f) {
      f("name", name);
      f("encoder", encoder);
    }
  };
  std::vector<Input> inputs;
  std::shared_ptr<Model> model;

  static JoinedInputsKind of(const Module& module) {
    JoinedInputsKind described{{}, module.model()};
    for (const auto& input : module.inputs())
      described.inputs.push_back({input.name, input.encoder});
    return described;
  }
  void fields(Fields& f) {
    f("inputs", inputs);
    f("model", model);
  }
  std::shared_ptr<Model> make(const TaskRegistry&) const {
    std::vector<Module::Input> made;
    for (const Input& input : inputs) made.push_back({input.name, input.encoder});
    return std::make_shared<Module>(std::move(made), model);
  }
};

/// Where the predictions are JointLogit's; a function of one's own is in no file.
struct DerivedTasksKind {
  using Module = DerivedTasksImpl;
  static constexpr std::string_view name = "DerivedTasks";
  static constexpr std::string_view python = R"py(
class DerivedTasks(nn.Module):
    """A model and tasks whose logits say that several of its tasks' are so."""

    def __init__(self, model, derived):
        super().__init__()
        self.model, self.derived = model, derived

    def forward(self, inputs):
        predictions = dict(self.model(inputs))
        for derived in self.derived:
            joint, *others = [predictions[task] for task in derived["from"]]
            for other in others:
                joint = -torch.stack([-joint, -other, -(joint + other)]).logsumexp(0)
            predictions[derived["task"]] = joint
        return predictions
)py";
  struct Derived {
    std::string task;
    std::vector<std::string> from;
    void fields(Fields& f) {
      f("task", task);
      f("from", from);
    }
  };
  std::shared_ptr<Model> model;
  std::vector<Derived> derived;

  static std::optional<DerivedTasksKind> of(const Module& module) {
    DerivedTasksKind described{module.model(), {}};
    for (const DerivedTask& task : module.derived()) {
      if (task.prediction.target<JointLogit>() == nullptr) return std::nullopt;
      described.derived.push_back({task.task.name, task.from});
    }
    return described;
  }
  void fields(Fields& f) {
    f("model", model);
    f("derived", derived);
  }
  std::shared_ptr<Model> make(const TaskRegistry& tasks) const {
    std::vector<DerivedTask> made;
    for (const Derived& one : derived) made.push_back({tasks.at(one.task), one.from, JointLogit{}});
    return std::make_shared<Module>(model, std::move(made));
  }
};

struct SequenceEndsKind {
  using Module = SequenceEndsImpl;
  static constexpr std::string_view name = "SequenceEnds";
  static constexpr std::string_view python = R"py(
class SequenceEnds(nn.Module):
    """A model whose logits [N, steps, C] say nothing but the blank behind their sequence's end."""

    def __init__(self, model, ends):
        super().__init__()
        self.model, self.ends = model, ends

    def forward(self, inputs):
        predictions = dict(self.model(inputs))
        for end in self.ends:
            logits, per_step = predictions[end["task"]], end["inputs_per_step"]
            steps = (input_of(inputs, end["lengths"]) + (per_step - 1)) // per_step
            behind = torch.arange(logits.shape[1], device=logits.device) >= steps.unsqueeze(1)
            is_blank = torch.arange(logits.shape[2], device=logits.device) == end["blank"]
            sure = torch.zeros_like(logits[0, 0]).masked_fill(~is_blank, -math.inf)
            predictions[end["task"]] = torch.where(behind.unsqueeze(2), sure, logits)
        return predictions
)py";
  struct End {
    SequenceEnd end;
    void fields(Fields& f) {
      f("task", end.task);
      f("lengths", end.lengths);
      f("inputs_per_step", end.inputs_per_step);
      f("blank", end.blank);
    }
  };
  std::shared_ptr<Model> model;
  std::vector<End> ends;

  static SequenceEndsKind of(const Module& module) {
    SequenceEndsKind described{module.model(), {}};
    for (const SequenceEnd& end : module.ends()) described.ends.push_back({end});
    return described;
  }
  void fields(Fields& f) {
    f("model", model);
    f("ends", ends);
  }
  std::shared_ptr<Model> make(const TaskRegistry&) const {
    std::vector<SequenceEnd> made;
    for (const End& one : ends) made.push_back(one.end);
    return std::make_shared<Module>(model, std::move(made));
  }
};

}  // namespace mtl::deploy_detail
