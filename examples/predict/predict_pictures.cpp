#include "predict_pictures.hpp"

#include <algorithm>

#include "mtl/core/error.hpp"
#include "mtl/data/images/loader.hpp"

namespace {

namespace fs = std::filesystem;

bool is_picture_name(const fs::path& file) {
  std::string ending = file.extension().string();
  for (char& c : ending)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return ending == ".jpg" || ending == ".jpeg" || ending == ".png";
}

/// Lines of answers, with gaps for what could not be read.
class PictureLines {
 public:
  PictureLines(const PredictOptions& options, mtl::Answers example,
               const std::function<void(std::string_view)>& write)
      : text_(options.format, options.probabilities, {"file"}),
        example_(std::move(example)),
        write_(write) {
    write_(text_.header(example_));
  }

  /// Files [begin, end), of which those named by `rows` have answers, in their order.
  void add(const std::vector<fs::path>& files, int64_t begin, int64_t end,
           const mtl::Answers& answers, const std::vector<int64_t>& rows) const {
    std::vector<std::vector<std::string>> names;
    std::vector<int64_t> samples;
    size_t sample = 0;
    for (int64_t row = begin; row < end; ++row) {
      names.push_back({files[static_cast<size_t>(row)].string()});
      const bool read = sample < rows.size() && rows[sample] == row;
      samples.push_back(read ? static_cast<int64_t>(sample++) : -1);
    }
    if (!names.empty()) write_(text_.lines(answers, names, samples));
  }
  void add_gaps(const std::vector<fs::path>& files, int64_t begin, int64_t end) const {
    add(files, begin, end, example_, {});
  }

 private:
  mtl::AnswerText text_;
  mtl::Answers example_;
  const std::function<void(std::string_view)>& write_;
};

/// What could not be read, told and counted.
int64_t told(const mtl::ImageDataset& pictures,
             const std::function<void(std::string_view)>& complain) {
  int64_t count = 0;
  for (const mtl::ImageFinding& finding : pictures.findings()) {
    if (finding.usable) continue;
    complain(finding.text);
    ++count;
  }
  return count;
}

bool is_readable(const mtl::ImageDataset& pictures, int64_t row) {
  try {
    pictures.image(row);
    return true;
  } catch (const mtl::images::ImageError&) {  // kept from the first try
    return false;
  }
}

}  // namespace

bool takes_pictures(const mtl::Predictor& predictor) {
  const auto& inputs = predictor.notes().inputs;
  return inputs.size() == 1 && inputs[0].pictures.has_value();
}

std::vector<fs::path> picture_files(const std::vector<fs::path>& given) {
  std::vector<fs::path> files;
  for (const fs::path& path : given) {
    std::error_code error;
    if (!fs::is_directory(path, error)) {
      if (!fs::exists(path, error)) throw mtl::Error("{}: there is no such file", path.string());
      files.push_back(path);
      continue;
    }
    std::vector<fs::path> within;
    for (fs::recursive_directory_iterator it(path, error), end; it != end; it.increment(error)) {
      if (error) break;
      if (is_picture_name(it->path()) && it->is_regular_file(error)) within.push_back(it->path());
    }
    if (error) throw mtl::Error("{}: {}", path.string(), error.message());
    std::sort(within.begin(), within.end());
    files.insert(files.end(), within.begin(), within.end());
  }
  if (files.empty()) throw mtl::Error("there is no picture (.jpg, .jpeg, .png) in what was given");
  return files;
}

PredictTimes predict_pictures(mtl::Predictor& predictor, const std::vector<fs::path>& files,
                              const PredictOptions& options,
                              const std::function<void(std::string_view)>& write,
                              const std::function<void(std::string_view)>& complain) {
  if (!takes_pictures(predictor))
    throw mtl::Error(
        "the bundle does not say how a picture becomes its input; save it with "
        "BundleNotes::Input::pictures");
  const auto& input = predictor.notes().inputs[0];
  const mtl::images::Preparation& prepared = *input.pictures;
  PredictTimes times;
  const Stopwatch whole;
  const auto predicted = [&](const mtl::NamedTensors& inputs) {
    const Stopwatch one;
    auto answers = predictor.predict(inputs);
    times.network += one.seconds();
    return answers;
  };
  // What answers look like is known before the first file that can be read.
  const torch::Tensor black = torch::zeros({1, 3, prepared.height, prepared.width});
  const PictureLines lines(options, predicted({{input.name, black}}), write);
  constexpr size_t at_once = 4096;  // a data set keeps what it found of its files
  for (size_t from = 0; from < files.size(); from += at_once) {
    const std::vector<fs::path> some(
        files.begin() + static_cast<std::ptrdiff_t>(from),
        files.begin() + static_cast<std::ptrdiff_t>(std::min(from + at_once, files.size())));
    const mtl::ImageDataset pictures(some, mtl::NamedTensors(), {.cache_bytes = 0});
    mtl::ImageLoader loader(pictures, {.batch_size = options.batch,
                                       .transform = prepared.transform(),
                                       .normalize = prepared.normalize,
                                       .workers = options.workers,
                                       .input = input.name});
    int64_t written = 0;
    try {
      for (mtl::Batch batch; loader.next(batch);) {
        const mtl::Answers answers = predicted(batch.inputs);
        const auto* row = loader.rows().data_ptr<int64_t>();
        const std::vector<int64_t> rows(row, row + loader.rows().numel());
        lines.add(some, written, rows.back() + 1, answers, rows);
        written = rows.back() + 1;
      }
    } catch (const mtl::Error&) {
      for (int64_t i = 0; i < pictures.size(); ++i)  // is it that not one of them can be read?
        if (written > 0 || is_readable(pictures, i)) throw;
    }
    lines.add_gaps(some, written, pictures.size());
    times.unusable += told(pictures, complain);
    times.rows += pictures.size();
  }
  times.seconds = whole.seconds();
  return times;
}
