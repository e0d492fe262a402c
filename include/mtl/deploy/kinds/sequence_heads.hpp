#pragma once

#include <string_view>

#include "mtl/deploy/kind.hpp"
#include "mtl/nn/heads/step_head.hpp"
#include "mtl/nn/heads/summary_head.hpp"

// The heads behind a summary and steps.

namespace mtl::deploy_detail {

struct SummaryHeadKind {
  using Module = nn::SummaryHeadImpl;
  static constexpr std::string_view name = "SummaryHead";
  static constexpr std::string_view python = R"py(
class SummaryHead(nn.Module):
    """A linear layer of the first step, which sums up the others."""

    def __init__(self, input_size, output_size):
        super().__init__()
        self.linear = nn.Linear(input_size, output_size)

    def forward(self, steps):
        return self.linear(steps[:, 0])
)py";
  Module::Options options = {};

  static SummaryHeadKind of(const Module& module) { return {module.options()}; }
  void fields(Fields& f) {
    f("input_size", options.input_size);
    f("output_size", options.output_size);
  }
  double numbers() const {
    return static_cast<double>(options.input_size) * static_cast<double>(options.output_size);
  }
  nn::Layer make() const { return std::make_shared<Module>(options); }
};

struct StepHeadKind {
  using Module = nn::StepHeadImpl;
  static constexpr std::string_view name = "StepHead";
  static constexpr std::string_view python = R"py(
class StepHead(nn.Module):
    """A linear layer of every step but the first: [N, out, L], or steps first."""

    def __init__(self, input_size, output_size, steps_first):
        super().__init__()
        self.linear, self.steps_first = nn.Linear(input_size, output_size), steps_first

    def forward(self, steps):
        answers = self.linear(steps[:, 1:])
        return answers if self.steps_first else answers.transpose(1, 2)
)py";
  Module::Options options = {};

  static StepHeadKind of(const Module& module) { return {module.options()}; }
  void fields(Fields& f) {
    f("input_size", options.input_size);
    f("output_size", options.output_size);
    f("steps_first", options.steps_first);
  }
  double numbers() const {
    return static_cast<double>(options.input_size) * static_cast<double>(options.output_size);
  }
  nn::Layer make() const { return std::make_shared<Module>(options); }
};

}  // namespace mtl::deploy_detail
