#pragma once

#include <filesystem>
#include <functional>
#include <string_view>
#include <vector>

#include "mtl/deploy/predictor.hpp"
#include "options.hpp"
#include "times.hpp"

/// Whether the bundle's one input is pictures.
bool takes_pictures(const mtl::Predictor& predictor);

/// The files that are given, and the JPEG and PNG files in the folders that are given and below
/// them, by name. Error: there is none; something that is given is not there.
std::vector<std::filesystem::path> picture_files(const std::vector<std::filesystem::path>& given);

/// Predicts pictures, a line each in the order of `files`, with the column "file" first. In memory
/// are a few batches and the names of the files. Threads read and decode ahead of the network. A
/// file that cannot be read has a line without answers, and `complain` is told why.
/// Error: the bundle takes no pictures.
PredictTimes predict_pictures(mtl::Predictor& predictor,
                              const std::vector<std::filesystem::path>& files,
                              const PredictOptions& options,
                              const std::function<void(std::string_view)>& write,
                              const std::function<void(std::string_view)>& complain);
