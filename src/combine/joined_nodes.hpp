#pragma once

#include <Eigen/Core>
#include <functional>
#include <memory>
#include <vector>

#include "engine/shared_rows.hpp"
#include "summed_pass.hpp"

namespace mtl {

/// The node of the representation: from its rows here to the parameters behind it.
struct ShareNode : engine::RowsOfShare {
  Tensor own;                  // undefined: no row is here
  std::vector<Tensor> inputs;  // by next edge
  std::shared_ptr<const Exchange> exchange;
  /// By next edge, what a pass from the losses that went on to the parameters found on its way.
  torch::autograd::variable_list found_before;

  Eigen::MatrixXd sum(const Eigen::MatrixXd& numbers) const override;
  torch::autograd::variable_list apply(torch::autograd::variable_list&& outer) override;
};

/// The node of the losses of a batch whose rows are spread over processes: walks back through this
/// process's graph and sums over the processes what it found.
struct JoinedNode : engine::LateGradients {
  std::vector<Tensor> own;                      // by output; undefined: no label here
  std::vector<double> shares;                   // by output: this process's part of the weight
  std::vector<std::vector<bool>> reached;       // by output and next edge, by any process
  std::vector<std::vector<bool>> reached_here;  // by this process
  std::vector<Tensor> inputs;                   // by next edge
  size_t kept = 0;  // so many of the first inputs' gradients stay here: the representation
  std::shared_ptr<const Exchange> exchange;

  torch::autograd::variable_list apply(torch::autograd::variable_list&& outer) override;
  void defer() override { defers_ = true; }
  void arrive() override;
  void forget() noexcept override;

 private:
  /// What the pass is asked for: `kept` ones that this process reaches, and those that travel.
  struct Asked {
    std::vector<size_t> stay, travel;  // next edges
    std::vector<bool> here;            // of `travel`: whether this process reaches it
  };
  StartedSum found(const std::vector<Tensor>& from, const std::vector<Tensor>& along,
                   const Asked& asked, torch::autograd::variable_list& inner) const;

  /// The pass through the representation.
  StartedSum found_through(const std::vector<Tensor>& from, const std::vector<Tensor>& along,
                           Asked asked, bool reaches_share, ShareNode& share) const;

  bool defers_ = false;
  std::vector<std::function<void()>> under_way_;
};

/// The sums, once they are there.
std::vector<Tensor> summed(const Exchange& exchange, std::vector<Tensor> tensors);

}  // namespace mtl
