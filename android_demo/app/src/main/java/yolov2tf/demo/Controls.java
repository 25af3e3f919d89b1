package yolov2tf.demo;

import android.os.Bundle;
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

        /** What is asked for more rarely. */
        void onMore();
    }

    private static final int FIRST_PERCENT = 25;
    private static final String MODEL = "controls.model";
    private static final String ACCELERATOR = "controls.accelerator";
    private static final String PERCENT = "controls.percent";

    private final Listener listener;
    private final List<String> modelNames;
    private final List<Accelerator> choices;
    private final Spinner models;
    private final Spinner accelerators;
    private final SeekBar threshold;
    private final TextView thresholdText;
    private final TextView times;
    private final TextView about;
    private final TextView remark;
    private final Button pick;
    private final Button switchCamera;
    private int chosenModel;
    private int chosenAccelerator;

    /**
     * @param choices what networks can run on
     * @param state of the panel before ({@link #save}), or null
     */
    Controls(View panel, List<String> modelNames, List<Accelerator> choices, Bundle state,
            Listener listener) {
        this.listener = listener;
        this.modelNames = modelNames;
        this.choices = choices;
        models = panel.findViewById(R.id.models);
        accelerators = panel.findViewById(R.id.accelerators);
        threshold = panel.findViewById(R.id.threshold);
        thresholdText = panel.findViewById(R.id.threshold_text);
        times = panel.findViewById(R.id.times);
        about = panel.findViewById(R.id.about);
        remark = panel.findViewById(R.id.remark);
        pick = panel.findViewById(R.id.pick);
        switchCamera = panel.findViewById(R.id.switch_camera);

        List<String> titles = new ArrayList<>();
        for (Accelerator accelerator : choices) {
            titles.add(panel.getContext().getString(accelerator.title));
        }
        accelerators.setAdapter(adapter(panel, titles));
        models.setAdapter(adapter(panel, modelNames));
        restore(state == null ? new Bundle() : state);
        models.setSelection(chosenModel);
        accelerators.setSelection(chosenAccelerator);
        Chosen chosen = new Chosen();
        models.setOnItemSelectedListener(chosen);
        accelerators.setOnItemSelectedListener(chosen);

        threshold.setOnSeekBarChangeListener(new Slid());
        showThreshold();
        View more = panel.findViewById(R.id.more);
        more.setEnabled(hasModels());
        more.setOnClickListener(view -> listener.onMore());
        pick.setEnabled(hasModels());
        pick.setOnClickListener(view -> listener.onPickPicture());
        switchCamera.setVisibility(View.GONE);
        switchCamera.setOnClickListener(view -> listener.onOtherCamera());
    }

    void save(Bundle state) {
        if (hasModels()) {
            state.putString(MODEL, model());
        }
        state.putString(ACCELERATOR, accelerator().name());
        state.putInt(PERCENT, threshold.getProgress());
    }

    /** By name: another build of the app may have other models. */
    private void restore(Bundle state) {
        chosenModel = Math.max(modelNames.indexOf(state.getString(MODEL)), 0);
        String before = state.getString(ACCELERATOR, Accelerator.FALLBACK.name());
        for (Accelerator accelerator : choices) {
            if (accelerator.name().equals(before)) {
                chosenAccelerator = choices.indexOf(accelerator);
            }
        }
        threshold.setProgress(state.getInt(PERCENT, FIRST_PERCENT));
    }

    boolean hasModels() {
        return !modelNames.isEmpty();
    }

    /** Name of the chosen model. */
    String model() {
        return modelNames.get(chosenModel);
    }

    Accelerator accelerator() {
        return choices.get(chosenAccelerator);
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

    /** Shows what runs, where that is not what was chosen. Nobody is told. */
    void setAccelerator(Accelerator runsOn) {
        chosenAccelerator = choices.indexOf(runsOn);
        accelerators.setSelection(chosenAccelerator);
    }

    /** Says something that stays until there is something else to say; null for nothing. */
    void remark(String text) {
        remark.setText(text);
        remark.setVisibility(text == null ? View.GONE : View.VISIBLE);
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
            int accelerator = Math.max(accelerators.getSelectedItemPosition(), 0);
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
