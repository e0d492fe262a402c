#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "mtl/deploy/kind.hpp"
#include "mtl/deploy/kinds/streams.hpp"
#include "mtl/sharing/film.hpp"

namespace mtl::deploy_detail {

struct FilmKind {
  using Module = FilmImpl;
  static constexpr std::string_view name = "Film";
  static constexpr std::string_view python_needs = streams_python;
  static constexpr std::string_view python = R"py(
class Film(nn.Module):
    """One encoder in stages; behind some a scale and a shift a channel of each task's own."""

    def __init__(self, stages, heads, input=""):
        super().__init__()
        self.stages = nn.ModuleList(stage["encoder"] for stage in stages)
        self.heads, self.input = Parts(heads), input
        self.modulations = Parts({task: Parts() for task in heads})
        for k, stage in enumerate(stages):
            if stage["channels"]:
                for task in heads:
                    shapes = {"scale": [stage["channels"]], "shift": [stage["channels"]]}
                    self.modulations[task].add(k, Weights(shapes))

    def forward(self, inputs):
        x = input_of(inputs, self.input)
        for k, stage in enumerate(self.stages):
            x = through(stage, x)
            if k in self.modulations[next(iter(self.heads))]:
                x = parted(x, lambda task, own: self.modulated(own, self.modulations[task][k]),
                           self.heads)
        return answered(self.heads, x)

    def modulated(self, x, by):
        shape = [1, -1] + [1] * (x.dim() - 2)
        return x * by["scale"].reshape(shape) + by["shift"].reshape(shape)
)py";
  using Stage = StageFields<Module::Stage>;
  std::vector<Stage> stages;
  std::string input;

  static FilmKind of(const Module& model) {
    FilmKind described{{}, model.input()};
    for (const auto& stage : model.stages()) described.stages.push_back({stage});
    return described;
  }
  void fields(Fields& f) {
    f("stages", stages);
    f("input", input);
  }
  double numbers(double tasks) const {
    double sum = 0;
    for (const Stage& stage : stages) sum += 2 * tasks * stage.width();
    return sum;
  }
  std::shared_ptr<Model> make(TaskRegistry tasks) const {
    return std::make_shared<Module>(std::vector<Module::Stage>(stages.begin(), stages.end()),
                                    std::move(tasks), input);
  }
};

}  // namespace mtl::deploy_detail
