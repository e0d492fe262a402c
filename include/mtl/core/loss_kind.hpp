#pragma once

namespace mtl {

/// What a loss measures: the error of a real value, or of a choice. Methods that weigh losses by
/// their uncertainty (Kendall's) treat the two differently.
enum class LossKind { regression, classification };

/// What the outputs that a loss takes are beside that, for who reads them without it.
enum class LossOutputs {
  plain,          ///< values, or scores of classes or of yes and no (logits)
  probabilities,  ///< each of a yes (torch::nn::BCELoss)
  gaussians,      ///< of K values K means, then K log variances (GaussianNll)
  regions,        ///< scores of one class [N, ...] or of several [N, C, ...]; targets tell (Dice)
  unordered,      ///< a set, whose n-th members have nothing to do with each other (BoxSetLoss)
};

}  // namespace mtl
