"""Which number format a machine gets."""

import pytest

from yolov2_tf.training.precision import fastest, of_cpu, of_gpus


@pytest.mark.parametrize(
    ("capabilities", "policy"),
    [
        ([(9, 0)], "mixed_bfloat16"),
        ([(8, 0), (7, 5)], "mixed_float16"),
        ([(7, 0)], "mixed_float16"),
        ([(6, 1)], "float32"),
        ([(10, 0)], "mixed_bfloat16"),
    ],
)
def test_the_weakest_gpu_decides(capabilities, policy):
    assert of_gpus(capabilities) == policy


@pytest.mark.parametrize(
    ("info", "policy"),
    [
        ("flags\t\t: fpu sse avx512_bf16 avx512vl\n", "mixed_bfloat16"),
        ("processor: 0\nflags : fpu amx_bf16 amx_tile\n", "mixed_bfloat16"),
        ("flags : fpu avx2 fma\nmodel name : amx_bf16\n", "float32"),
        ("Features : fp asimd\n", "float32"),
        ("", "float32"),
    ],
)
def test_a_cpu_needs_the_instructions(info, policy):
    assert of_cpu(info) == policy


def test_this_machine_has_one_that_keras_knows():
    import keras

    assert keras.dtype_policies.get(fastest()).name == fastest()
