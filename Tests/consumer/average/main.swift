import Merging
import Torch
import Weights

// Two points, their mean by the vector arithmetic and by a merge, which round alike.
let a = try Weights([("layer.weight", Tensor([1, 2, 3] as [Float])), ("layer.bias", Tensor([0.5] as [Float]))])
let b = try Weights([("layer.weight", Tensor([3, 2, 0] as [Float])), ("layer.bias", Tensor([1] as [Float]))])
let mean = try Weights.mean([a, b])
let merged = try linearMerge([a, b], coefficients: [0.5, 0.5])
for (name, tensor) in merged { print(name, try tensor.array(Float.self)) }
guard try mean.isIdentical(to: merged) else { throw MergeError("the mean and the merge differ") }
