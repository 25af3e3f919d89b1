package yolov2tf.demo;

import android.view.View;
import android.widget.AdapterView;
import android.widget.ArrayAdapter;
import android.widget.Button;
import android.widget.SeekBar;
import android.widget.Spinner;
import android.widget.TextView;
import java.util.ArrayList;
import java.util.List;

/** The panel: model, accelerator, threshold, picture or camera; and the times. */
final class Controls {
    /** Hears of choices. */
    interface Listener {
        /** Another model or accelerator. */
        void onModelChosen();

        void onThresholdChosen(float threshold);

        /** Pick a picture; or, while one is shown, go back to the camera. */
        void onPickPicture();

        void onOtherCamera();
    }

    private static final int FIRST_PERCENT = 25;

    private final Listener listener;
    private final List<String> modelNames;
    private final Spinner models;
    private final Spinner accelerators;
    private final SeekBar threshold;
    private final TextView thresholdText;
    private final TextView times;
    private final TextView about;
    private final Button pick;
    private final Button switchCamera;
    private int chosenModel;
    private int chosenAccelerator;

    Controls(View panel, List<String> modelNames, Listener listener) {
        this.listener = listener;
        this.modelNames = modelNames;
        models = panel.findViewById(R.id.models);
        accelerators = panel.findViewById(R.id.accelerators);
        threshold = panel.findViewById(R.id.threshold);
        thresholdText = panel.findViewById(R.id.threshold_text);
        times = panel.findViewById(R.id.times);
        about = panel.findViewById(R.id.about);
        pick = panel.findViewById(R.id.pick);
        switchCamera = panel.findViewById(R.id.switch_camera);

        List<String> titles = new ArrayList<>();
        for (Accelerator accelerator : Accelerator.values()) {
            titles.add(panel.getContext().getString(accelerator.title));
        }
        accelerators.setAdapter(adapter(panel, titles));
        chosenAccelerator = Accelerator.CPU_4.ordinal(); // int8 files are fastest there
        accelerators.setSelection(chosenAccelerator);
        models.setAdapter(adapter(panel, modelNames));
        Chosen chosen = new Chosen();
        models.setOnItemSelectedListener(chosen);
        accelerators.setOnItemSelectedListener(chosen);

        threshold.setProgress(FIRST_PERCENT);
        threshold.setOnSeekBarChangeListener(new Slid());
        showThreshold();
        pick.setEnabled(hasModels());
        pick.setOnClickListener(view -> listener.onPickPicture());
        switchCamera.setVisibility(View.GONE);
        switchCamera.setOnClickListener(view -> listener.onOtherCamera());
    }

    boolean hasModels() {
        return !modelNames.isEmpty();
    }

    /** Name of the chosen model. */
    String model() {
        return modelNames.get(chosenModel);
    }

    Accelerator accelerator() {
        return Accelerator.values()[chosenAccelerator];
    }

    /** 0..1. */
    float threshold() {
        return threshold.getProgress() / 100f;
    }

    /** One camera needs no button to change it. */
    void setCameras(int count) {
        switchCamera.setVisibility(count > 1 ? View.VISIBLE : View.GONE);
    }

    void setPictureShown(boolean shown) {
        pick.setText(shown ? R.string.show_camera : R.string.pick_picture);
        switchCamera.setEnabled(!shown);
    }

    void showTimes(String text) {
        times.setText(text);
    }

    void showModel(String text) {
        about.setText(text);
    }

    private void showThreshold() {
        thresholdText.setText(thresholdText.getResources()
                .getString(R.string.threshold, threshold.getProgress()));
    }

    private static ArrayAdapter<String> adapter(View panel, List<String> titles) {
        ArrayAdapter<String> adapter = new ArrayAdapter<>(
                panel.getContext(), android.R.layout.simple_spinner_item, titles);
        adapter.setDropDownViewResource(android.R.layout.simple_spinner_dropdown_item);
        return adapter;
    }

    private final class Chosen implements AdapterView.OnItemSelectedListener {
        @Override
        public void onItemSelected(AdapterView<?> parent, View view, int position, long id) {
            int model = Math.max(models.getSelectedItemPosition(), 0);
            int accelerator = accelerators.getSelectedItemPosition();
            if (model == chosenModel && accelerator == chosenAccelerator) {
                return; // spinners tell of their first selection, too
            }
            chosenModel = model;
            chosenAccelerator = accelerator;
            listener.onModelChosen();
        }

        @Override
        public void onNothingSelected(AdapterView<?> parent) {}
    }

    private final class Slid implements SeekBar.OnSeekBarChangeListener {
        @Override
        public void onProgressChanged(SeekBar bar, int progress, boolean byUser) {
            showThreshold();
            listener.onThresholdChosen(threshold());
        }

        @Override
        public void onStartTrackingTouch(SeekBar bar) {}

        @Override
        public void onStopTrackingTouch(SeekBar bar) {}
    }
}
