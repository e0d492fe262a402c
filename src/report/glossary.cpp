#include "glossary.hpp"

#include <algorithm>
#include <cctype>

namespace mtl::report {
namespace {

bool is_letter(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }

// `text` and `word` in small letters. A word that ends in "_k" stands for any number there.
bool has_word(std::string_view text, std::string_view word) {
  const bool numbered = word.ends_with("_k");
  if (numbered) word.remove_suffix(1);
  for (auto at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1)) {
    size_t end = at + word.size();
    if (at > 0 && is_letter(text[at - 1])) continue;
    if (numbered) {
      const size_t digits = end;
      while (end < text.size() && is_digit(text[end])) ++end;
      if (end == digits) continue;
    }
    if (end >= text.size() || !is_letter(text[end])) return true;
  }
  return false;
}

}  // namespace

const std::vector<std::pair<std::string_view, std::string_view>>& glossary() {
  static const std::vector<std::pair<std::string_view, std::string_view>> words = {
      {"abs_rel", "mean of the absolute errors, each divided by the true value"},
      {"accuracy", "share of right answers"},
      {"auc", "area under a curve, see roc_auc"},
      {"auxiliary", "a task that is trained to help the others, and does not count by itself"},
      {"average_precision", "area under the curve of precision over recall; 1 is perfect"},
      {"balanced_accuracy", "mean of the recalls of all classes: rare ones count as much"},
      {"bce", "binary cross-entropy: minus the logarithm of the probability given to the truth"},
      {"brier", "mean squared distance of probabilities from the truth; 0 is perfect"},
      {"calibration error",
       "mean distance of how sure the answers are from how often they are right"},
      {"calibration_error",
       "mean distance of how sure the answers are from how often they are right"},
      {"character_error_rate", "characters to change, add or remove, per character of the truth"},
      {"cohen_kappa", "agreement beyond what chance would give; 1 is perfect, 0 is chance"},
      {"concordance_index", "share of pairs that are put in the right order; 0.5 is chance"},
      {"conflict", "two tasks whose gradients point apart: a step for the one harms the other"},
      {"conflicts",
       "pairs of tasks whose gradients point apart: a step for the one harms the other"},
      {"cosine", "direction of two gradients: 1 the same, 0 unrelated, -1 opposite"},
      {"cosines", "direction of two gradients: 1 the same, 0 unrelated, -1 opposite"},
      {"delta", "as a metric: share of depths that are right within a factor"},
      {"delta_m", "mean relative gain over models of one task each"},
      {"epoch", "one pass over all training data"},
      {"explained_variance",
       "share of the truth's variance that predictions explain; 1 is perfect"},
      {"f1", "harmonic mean of precision and recall; 1 is perfect"},
      {"grouped_auc", "roc_auc within each group, averaged"},
      {"hypervolume", "how much a set of models reaches at once: the volume that it leaves behind"},
      {"interval", "a range that holds the true value in that share of repetitions"},
      {"log_loss", "minus the logarithm of the probability given to the truth, mean; 0 is perfect"},
      {"macro_f1", "mean of the f1 of all classes: rare ones count as much"},
      {"mae", "mean absolute error"},
      {"map", "as a metric: mean average precision"},
      {"matthews", "correlation of true and predicted classes; 1 is perfect, 0 is chance"},
      {"max_error", "the largest absolute error"},
      {"mean relative gain", "mean over tasks of (joint - single) / single, better being positive"},
      {"mean_iou", "overlap of true and predicted regions, shared by all of both; mean of classes"},
      {"median_absolute_error", "half of the errors are smaller"},
      {"mse", "mean squared error"},
      {"ndcg_k", "how well the first k of a ranking are ordered; 1 is perfect"},
      {"nmae", "mean absolute error divided by the largest minus the smallest true value"},
      {"normal_angle_mean", "mean angle between true and predicted surface directions, degrees"},
      {"normal_angle_median", "median angle of true and predicted surface directions, degrees"},
      {"normal_angle_within", "share of surface directions that are right within an angle"},
      {"p-value", "how often pure luck would give a difference as large as this one"},
      {"precision", "of the samples that were said to be of a class, the share that is"},
      {"r2", "share of the truth's variance that predictions explain; 1 is perfect"},
      {"recall", "of the samples of a class, the share that was found"},
      {"relative_rmse", "root mean squared error divided by that of always saying the mean"},
      {"rmse", "root mean squared error"},
      {"rmse_log", "root mean squared error of the logarithms"},
      {"roc_auc", "chance that a yes is rated above a no; 1 is perfect, 0.5 is chance"},
      {"seed", "number from which everything random is drawn"},
      {"seeds", "numbers from which everything random is drawn: one run each"},
      {"soft_bce", "bce where the truth is a probability, too"},
      {"span_f1", "f1 of whole spans: begin, end and kind must be right"},
      {"spearman", "correlation of the ranks; 1 is the same order"},
      {"top_k", "share of samples whose true class is among the k that are rated highest"},
      {"word_error_rate", "words to change, add or remove, per word of the truth"},
  };
  return words;
}

std::vector<std::pair<std::string, std::string>> words_in(std::string_view text) {
  std::string small(text);
  std::transform(small.begin(), small.end(), small.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  std::vector<std::pair<std::string, std::string>> found;
  for (const auto& [word, meaning] : glossary())
    if (has_word(small, word)) found.emplace_back(word, meaning);
  // What explains a word may hold another one.
  for (size_t i = 0; i < found.size(); ++i)
    for (const auto& [word, meaning] : glossary())
      if (has_word(found[i].second, word) &&
          std::none_of(found.begin(), found.end(),
                       [&](const auto& entry) { return entry.first == word; }))
        found.emplace_back(word, meaning);
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace mtl::report
