#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mtl/deploy/kind.hpp"
#include "mtl/sharing/branched.hpp"

namespace mtl::deploy_detail {

struct BranchedKind {
  using Module = BranchedImpl;
  static constexpr std::string_view name = "Branched";
  static constexpr std::string_view python = R"py(
class Branched(nn.Module):
    """A common stem, branches that may part again, a head a task."""

    def __init__(self, stem, branches, heads, input=""):
        super().__init__()
        self.stem, self.branches, self.heads, self.input = stem, Parts(), Parts(heads), input
        self.parents, self.ends = {}, {}  # of a branch by name ("0-1"); of a task
        self.add(branches, "", None)

    def add(self, branches, prefix, parent):
        for k, branch in enumerate(branches):
            name = f"{prefix}{k}"
            self.branches.add(name, branch["encoder"])
            self.parents[name] = parent
            self.ends.update({task: name for task in branch["tasks"]})
            self.add(branch["branches"], name + "-", name)

    def forward(self, inputs):
        outputs = {None: self.stem(input_of(inputs, self.input))}
        for name, branch in self.branches.items():
            outputs[name] = branch(outputs[self.parents[name]])
        return {task: head(outputs[self.ends[task]]) for task, head in self.heads.items()}
)py";
  struct Branch {
    Encoder encoder;
    std::vector<std::string> tasks;
    std::vector<Branch> branches;
    void fields(Fields& f) {
      f("encoder", encoder);
      f("tasks", tasks);
      f("branches", branches);
    }
  };
  Encoder stem;
  std::vector<Branch> branches;
  std::string input;

  static BranchedKind of(const Module& model) {
    return {model.stem(), as<Branch>(model.branches()), model.input()};
  }
  void fields(Fields& f) {
    f("stem", stem);
    f("branches", branches);
    f("input", input);
  }
  std::shared_ptr<Model> make(TaskRegistry tasks) const {
    return std::make_shared<Module>(stem, as<Module::Branch>(branches), std::move(tasks), input);
  }

  // Not private: an aggregate is made from its fields.
  template <class To, class From>
  static std::vector<To> as(const std::vector<From>& branches) {
    std::vector<To> all;
    for (const From& branch : branches)
      all.push_back({branch.encoder, branch.tasks, as<To>(branch.branches)});
    return all;
  }
};

}  // namespace mtl::deploy_detail
